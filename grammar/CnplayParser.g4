// The grammar of `.play` and `.inv` files. It accepts broadly: every statement may stand in every
// block, modifiers in any order, unknown words among them; compile/, catalog/ and inventory/
// reject precisely.
//
// What src/syntax/lex.cc has done before: brackets are balanced; a NEWLINE ends every statement
// and every field, also before a `}` (never two in a row, none inside `( )` and `[ ]`, none before
// a `{` or `else`, none after a `,` or `{`, none between the modifiers of a header).
parser grammar CnplayParser;

options { tokenVocab = CnplayLexer; }

@parser::members {
  // An unknown modifier takes the value that follows it, unless that is a known modifier.
  bool valueFollows() {
    switch (_input->LA(1)) {
      case NAME: case TRUE: case FALSE: case NONE: case NOT: case NUMBER: case MEASURE:
      case FRACTION: case PERCENT: case STRING_OPEN: case SINGLE_QUOTED: case LPAREN:
      case LBRACKET: case MINUS: case GROUP: case HOST:
        return true;
      default:
        return false;
    }
  }
}

file: topItem* EOF;
// A value on its own, for parse_expression().
single: value NEWLINE EOF;

topItem: (use | play | procedure | module | inventory) NEWLINE;

use: USE string AS word;
play: PLAY word string? block;
procedure: PROCEDURE word LPAREN (parameter (COMMA parameter)* COMMA?)? RPAREN block;
module: MODULE (word | SH) (DOT NAME)* string? block;

block: LBRACE item* RBRACE;

item: statement NEWLINE;

statement
  : let | action | shell | step | phase | parallel | sequence | forEach | ifElse | doCall
  | waitUntil | assertion | barrier | pivot | undo | hold | offer | onFailure | always | handler | notify
  | flush | rollback | human | tick | deadline | window | report | owner | hosts | param
  | hostvar | secret | require | lock | modeDecl | headModifier | environment | returnsDecl | clause
  | script
  ;

let: LET target (ASSIGN) (shellCall | checkAlone | value modifiers);
checkAlone: CHECK modifiers block;
target: word | FIELD COLON type;
action: NAME (DOT NAME)* arguments modifiers;
shell: shellCall;
shellCall: SH arguments? scriptText (UNLESS SH scriptText | modifier)*;
step: STEP heading block;
phase: PHASE heading block;
parallel: PARALLEL modifiers block;
sequence: SEQUENCE block;
forEach: FOR word IN expr block;
ifElse: IF expr block (ELSE (block | ifElse))?;
doCall: DO word (DOT NAME)* arguments modifiers;
waitUntil: WAIT UNTIL expr COMMA? modifiers;
assertion: ASSERT expr COMMA string;
barrier: BARRIER;
pivot: PIVOT string?;
undo: UNDO (ALL | block);
hold: HOLD expr;
offer: OFFER word modifiers;
onFailure: ON_FAILURE ((BEFORE | AFTER) PIVOT)? block;
always: ALWAYS block;
handler: HANDLER heading block;
notify: NOTIFY word;
flush: FLUSH;
rollback: ROLLBACK word string? modifiers block;
human: (MANUAL | APPROVE | ASK) heading block?;
tick: (ITEM | EVIDENCE) (word | FIELD COLON type)? string;
deadline: DEADLINE expr ELSE ROLLBACK word;
window: WINDOW FROM expr TO expr;
report: REPORT word;
owner: OWNER expr;
hosts: HOSTS word ASSIGN expr (EXPECT expr)?;
param: PARAM parameter;
parameter: FIELD COLON type (ASSIGN value)? parameterTail?;
parameterTail: string where? | where string?;
where: WHERE expr (COMMA string)?;
hostvar: HOSTVAR FIELD COLON type (ASSIGN value)?;
secret: SECRET word ASSIGN expr;
require: REQUIRE expr (COMMA string)?;
lock: LOCK expr;
modeDecl: MODE word;
environment: ENVIRONMENT record | SEARCH_PATH expr;
headModifier: headWord expr (EVERY expr)?;
headWord
  : ON | TIMEOUT | RETRY | EVERY | EXPECT | BUDGET | TOLERATE | SERIAL | AS | WHEN | LATE_BY | TAGS
  | BY | DEFAULT | COUNT | WITHIN | RESOURCE
  ;

returnsDecl: RETURNS LBRACE returnsItem* RBRACE;
returnsItem: FIELD COLON type (COMMA | NEWLINE);
clause: (NEEDS | USES | WRITES | READS | TOUCHES | SENDS | SENDS_TREE | RENDERS | FETCHES | REBOOTS) expr (COMMA expr)*;
script: (CHECK | APPLY | VERIFY | PREVIEW | PREFLIGHT | COMMANDS) (NONE | SH scriptText) | NATIVE;

// The name, the title and the modifiers of a statement with a block. A word that is no modifier is
// the name; behind it an unknown word is a modifier, for the compiler to refuse.
heading
  : (label | FIELD COLON type) string? modifiers
  | string modifiers
  | knownModifier modifiers
  |
  ;
modifiers: modifier*;
modifier
  : knownModifier
  | NAME IF NAME  // `even if out`
  | NAME ({valueFollows()}? expr | {!valueFollows()}?)  // `of web` behind `serial 1`, among others
  ;
knownModifier: (headWord | NOTIFY) expr | ONCE | OUTAGE | PARALLEL;

// ---- inventories

inventory: INVENTORY hostName groupBody;
groupBody: LBRACE groupItem* RBRACE;
groupItem: groupEntry (COMMA | NEWLINE);
groupEntry
  : settings
  | environment
  | NOTIFY record
  | HOST hostPattern hostBody?
  | GROUP hostName groupBody
  | MEMBERS hostName (COMMA hostName)*
  ;
settings: (VARS | SSH) record;
hostBody: LBRACE hostItem* RBRACE;
hostItem: (settings | environment | field) (COMMA | NEWLINE);
hostPattern: string | hostPart+ (hostRange hostPart*)?;
hostRange: LBRACKET hostBound SPREAD hostBound RBRACKET;
hostBound: NUMBER | word;
hostName: string | hostPart+;
hostPart: word | TRUE | FALSE | NONE | NOT | AND | OR | IN | IF | THEN | ELSE | SH
        | MINUS | DOT | NUMBER | MEASURE | FRACTION;

// ---- types

type: typeName (LT type (COMMA type)* GT | LPAREN typeWord (COMMA typeWord)* COMMA? RPAREN)? QUESTION?;
typeName: word;
typeWord: word | TRUE | FALSE | NONE | NOT | AND | OR | IN | IF | THEN | ELSE | SH;

// ---- values

// A record stands only where no block can follow it.
value: record | expr;
record: LBRACE recordItem* RBRACE;
recordItem: field (COMMA | NEWLINE);
field: FIELD COLON value | SPREAD expr;

arguments: LPAREN (argument (COMMA argument)* COMMA?)? RPAREN;
argument: FIELD COLON value | SPREAD expr | value;

expr: IF expr THEN expr ELSE expr | disjunction;
disjunction: conjunction (OR conjunction)*;
conjunction: negation (AND negation)*;
negation: NOT negation | comparison;
comparison: operand ((EQ | NE | LT | LE | GT | GE | IN) operand)?;
operand
  : operand DOT NAME
  | operand LBRACKET expr RBRACKET
  | operand arguments
  | MINUS operand
  | operand (STAR | SLASH | MOD) operand
  | operand (PLUS | MINUS) operand
  | operand AMP operand
  | operand PIPE operand
  | <assoc=right> operand COALESCE operand
  | primary
  ;
primary
  : word | NUMBER | MEASURE | PERCENT | FRACTION | TRUE | FALSE | NONE | string
  | LPAREN value RPAREN
  | LBRACKET (value (COMMA value)* COMMA?)? RBRACKET
  ;

string: STRING_OPEN (TEXT | ESCAPE | INTERP_OPEN expr INTERP_CLOSE)* STRING_CLOSE | SINGLE_QUOTED;
scriptText: SCRIPT_OPEN SCRIPT_TEXT* SCRIPT_CLOSE;

// ---- words

// The name of a step: any word but a modifier, since the name may be left out.
label
  : NAME | USE | PLAY | PROCEDURE | MODULE | INVENTORY | OWNER | HOSTS | PARAM | LET | HOSTVAR
  | SECRET | REQUIRE | LOCK | MODE | STEP | PHASE | SEQUENCE | FOR | DO | WAIT | BARRIER | PIVOT
  | UNDO | HOLD | OFFER | ON_FAILURE | ALWAYS | HANDLER | FLUSH | ROLLBACK | MANUAL | APPROVE
  | ASK | ITEM | EVIDENCE | DEADLINE | WINDOW | REPORT | RETURNS | NEEDS | USES | WRITES | READS | TOUCHES
  | SENDS | SENDS_TREE | RENDERS | FETCHES | REBOOTS | CHECK | APPLY | VERIFY | PREVIEW | PREFLIGHT | COMMANDS | NATIVE | ASSERT | ENVIRONMENT | SEARCH_PATH | GROUP | HOST | VARS | SSH | MEMBERS
  | UNTIL | BEFORE | AFTER | ALL | WHERE | UNLESS | FROM | TO
  ;
word
  : label
  | PARALLEL | NOTIFY | ON | ONCE | OUTAGE | TIMEOUT | RETRY | EVERY | EXPECT | BUDGET | TOLERATE
  | SERIAL | AS | WHEN | LATE_BY | TAGS | BY | DEFAULT | COUNT | WITHIN | RESOURCE
  ;
