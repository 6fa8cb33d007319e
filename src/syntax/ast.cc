#include "syntax/ast.h"

namespace cnplay::syntax {

ExprNode::ExprNode() = default;
ExprNode::ExprNode(ExprNode&&) noexcept = default;
ExprNode& ExprNode::operator=(ExprNode&&) noexcept = default;
ExprNode::~ExprNode() = default;

ItemNode::ItemNode() = default;
ItemNode::ItemNode(ItemNode&&) noexcept = default;
ItemNode& ItemNode::operator=(ItemNode&&) noexcept = default;
ItemNode::~ItemNode() = default;

}  // namespace cnplay::syntax
