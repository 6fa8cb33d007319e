// What the shell scripts and the texts of a program look like to who knows other languages.
#pragma once

#include "compile/context.h"
#include "compile/loader.h"
#include "syntax/ast.h"

namespace cnplay::compile {

// The syntax of every script of the loaded files, by Input::check_shell, and the forms of bash in
// them.
void look_at_scripts(Context& context, const Loader& loader);

// `$name` in a text, where the play has a value of that name.
void look_at_texts(Context& context, const syntax::File& file, const syntax::Play& play);

}  // namespace cnplay::compile
