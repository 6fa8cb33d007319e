// The words and signs of `.play` and `.inv` files.
//
// The lexer has no actions: src/syntax/lex.cc drives it token by token and pushes and pops the
// modes, because what a quote opens depends on what stands before it (after `sh` a text is raw)
// and what a `}` closes on what is open (a block, a record, or an interpolation).
//
// Every word below is a keyword only where the grammar asks for it. lex.cc turns a word into
//   FIELD  when a `:` follows it (an argument's, field's or parameter's name), and into
//   NAME   after a `.`, at a statement's start before a `.`, and where an operand must stand,
// the rule `word` of the parser takes the rest.
lexer grammar CnplayLexer;

tokens { FIELD, PERCENT, TEXT, ESCAPE, STRING_OPEN, STRING_CLOSE, SCRIPT_OPEN, SCRIPT_TEXT,
         SCRIPT_CLOSE, INTERP_OPEN, INTERP_CLOSE }

// Reserved in expressions.
TRUE: 'true'; FALSE: 'false'; NONE: 'none'; NOT: 'not'; AND: 'and'; OR: 'or'; IN: 'in';
IF: 'if'; THEN: 'then'; ELSE: 'else'; SH: 'sh';

// Words that begin a statement.
USE: 'use'; PLAY: 'play'; PROCEDURE: 'procedure'; MODULE: 'module'; INVENTORY: 'inventory';
OWNER: 'owner'; HOSTS: 'hosts'; PARAM: 'param'; LET: 'let'; HOSTVAR: 'hostvar';
SECRET: 'secret'; REQUIRE: 'require'; LOCK: 'lock'; MODE: 'mode';
STEP: 'step'; PHASE: 'phase'; PARALLEL: 'parallel'; SEQUENCE: 'sequence'; FOR: 'for'; DO: 'do';
WAIT: 'wait'; BARRIER: 'barrier'; PIVOT: 'pivot'; UNDO: 'undo'; HOLD: 'hold'; OFFER: 'offer';
ON_FAILURE: 'on_failure'; ALWAYS: 'always'; HANDLER: 'handler'; NOTIFY: 'notify';
FLUSH: 'flush'; ROLLBACK: 'rollback'; MANUAL: 'manual'; APPROVE: 'approve'; ASK: 'ask';
ITEM: 'item'; EVIDENCE: 'evidence'; DEADLINE: 'deadline'; WINDOW: 'window'; REPORT: 'report';
RETURNS: 'returns'; NEEDS: 'needs'; USES: 'uses'; WRITES: 'writes'; READS: 'reads';
TOUCHES: 'touches'; SENDS: 'sends'; SENDS_TREE: 'sends_tree'; RENDERS: 'renders'; FETCHES: 'fetches'; REBOOTS: 'reboots';
CHECK: 'check'; APPLY: 'apply'; VERIFY: 'verify'; PREVIEW: 'preview'; PREFLIGHT: 'preflight'; COMMANDS: 'commands'; NATIVE: 'native';
ASSERT: 'assert'; ENVIRONMENT: 'env'; SEARCH_PATH: 'path';
GROUP: 'group'; HOST: 'host'; VARS: 'vars'; SSH: 'ssh'; MEMBERS: 'members';

// Modifiers. `notify` and `parallel` are modifiers too.
ON: 'on'; ONCE: 'once'; OUTAGE: 'outage'; TIMEOUT: 'timeout'; RETRY: 'retry'; EVERY: 'every';
EXPECT: 'expect'; BUDGET: 'budget'; TOLERATE: 'tolerate'; SERIAL: 'serial'; AS: 'as';
WHEN: 'when'; LATE_BY: 'late_by'; TAGS: 'tags'; BY: 'by'; DEFAULT: 'default'; COUNT: 'count';
WITHIN: 'within'; RESOURCE: 'resource';

// Words inside a statement.
UNTIL: 'until'; BEFORE: 'before'; AFTER: 'after'; ALL: 'all'; WHERE: 'where';
UNLESS: 'unless'; FROM: 'from'; TO: 'to';

NAME: [a-zA-Z_] [a-zA-Z0-9_]*;
NUMBER: [0-9]+;
MEASURE: [0-9]+ [a-zA-Z_] [a-zA-Z0-9_]*;                      // 90s, 1h30m, 512MiB
FRACTION: [0-9]+ ('.' [0-9]+)+ ([a-zA-Z_] [a-zA-Z0-9_]*)?;    // refused, or part of a host's name

TRIPLE: '"""';
QUOTE: '"';
SINGLE_QUOTED: '\'' ~['\r\n]* '\'';                           // refused with a help

LPAREN: '('; RPAREN: ')'; LBRACKET: '['; RBRACKET: ']'; LBRACE: '{'; RBRACE: '}';
COMMA: ','; COLON: ':'; SPREAD: '..'; DOT: '.';
COALESCE: '??'; QUESTION: '?';
EQ: '=='; NE: '!='; LE: '<='; GE: '>='; LT: '<'; GT: '>'; ASSIGN: '=';
PLUS: '+'; MINUS: '-'; STAR: '*'; SLASH: '/'; MOD: '%'; AMP: '&'; PIPE: '|';

NEWLINE: '\r'? '\n';
SPACE: [ \t\r]+ -> skip;
COMMENT: '#' ~[\r\n]* -> channel(HIDDEN);
UNKNOWN: .;                                                   // refused

mode STRING;                                                  // "..."
S_CLOSE: '"' -> type(STRING_CLOSE);
S_INTERP: '${' -> type(INTERP_OPEN);
S_DOLLAR: '$' -> type(TEXT);
S_TEXT: ~["\\$\r\n]+ -> type(TEXT);
S_ESCAPE: '\\' ('u{' ~["}\r\n]* '}'? | ~[\r\n])? -> type(ESCAPE);
S_NEWLINE: '\r'? '\n' -> type(NEWLINE);
S_RETURN: '\r' -> type(TEXT);

mode BLOCK;                                                   // """...""" with interpolation
B_CLOSE: '"""' -> type(STRING_CLOSE);
B_INTERP: '${' -> type(INTERP_OPEN);
B_DOLLAR: '$' -> type(TEXT);
B_TEXT: ~["\\$]+ -> type(TEXT);
B_QUOTE: '"' '"'? -> type(TEXT);
B_ESCAPE: '\\' ('u{' ~["}\r\n]* '}'? | ~[\r\n])? -> type(ESCAPE);

mode RAW;                                                     // sh "..."
R_CLOSE: '"' -> type(SCRIPT_CLOSE);
R_TEXT: ~["\r\n]+ -> type(SCRIPT_TEXT);
R_NEWLINE: '\r'? '\n' -> type(NEWLINE);
R_RETURN: '\r' -> type(SCRIPT_TEXT);

mode RAW_BLOCK;                                               // sh """..."""
RB_CLOSE: '"""' -> type(SCRIPT_CLOSE);
RB_TEXT: ~["]+ -> type(SCRIPT_TEXT);
RB_QUOTE: '"' '"'? -> type(SCRIPT_TEXT);
