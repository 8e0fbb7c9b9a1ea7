//! PHP's statements and expressions, as far as configuration files use them.
//!
//! Whatever is not understood becomes [`Expression::Opaque`] with its tokens, so
//! that a reader can see what it may do. Depth and the length of chains are bounded:
//! a file made to exhaust the stack is opaque instead.

mod expression;

use super::Value;
use crate::tokens::{Lexed, Lexeme, Token, lex};
use std::ops::Range;

/// Statements, in order.
pub(super) type Block = Vec<Node>;

/// A statement and the bytes it stands in, its `;` included.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) statement: Statement,
    pub(super) span: Range<usize>,
}

#[derive(Debug)]
pub(super) enum Statement {
    /// A declaration, an empty statement, text between PHP parts.
    Nothing,
    Expression(Expression),
    /// `const A = 1, B = 2;`
    Constants(Vec<Definition>),
    If {
        arms: Vec<(Expression, Block)>,
        otherwise: Block,
    },
    Block(Block),
    /// `return` and `__halt_compiler`.
    Stop,
}

/// What a constant or variable is given.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: Expression,
    pub(super) value: Expression,
    /// The bytes of the value.
    pub(super) span: Range<usize>,
}

#[derive(Debug)]
pub(super) enum Expression {
    Literal(Value),
    Constant(Vec<u8>),
    Variable(Vec<u8>),
    /// `__DIR__`
    Directory,
    /// `__FILE__`
    File,
    Define(Box<Definition>),
    Defined(Box<Expression>),
    ConstantOf(Box<Expression>),
    Dirname(Box<Expression>, Option<Box<Expression>>),
    Assign(Vec<u8>, Box<Definition>),
    /// A variable that is changed in a way not followed, after this is evaluated.
    Touch(Vec<u8>, Box<Expression>),
    /// A function of which nothing is known but that it cannot define constants.
    Call(Vec<Expression>),
    /// An include; whether it names `wp-settings.php`.
    Include(Box<Expression>, bool),
    Exit,
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    /// Without a middle: `a ?: b`.
    Ternary(Box<Expression>, Option<Box<Expression>>, Box<Expression>),
    /// `a ?? b`
    Coalesce(Box<Expression>, Box<Expression>),
    Concat(Vec<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Cast(Cast, Box<Expression>),
    /// Evaluated for what it does, its value unknown.
    Unread(Vec<Expression>),
    /// These tokens, by index.
    Opaque(Range<usize>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Same,
    NotSame,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cast {
    Text,
    Int,
    Bool,
    Other,
}

/// A file as statements.
#[derive(Debug)]
pub(super) struct File {
    pub(super) lexed: Lexed,
    pub(super) block: Block,
    /// For each token the index of the bracket that closes or opens it.
    pub(super) partners: Vec<Option<usize>>,
}

/// How deep statements and expressions may lie in each other.
const MAX_DEPTH: usize = 32;

/// Reads a file.
pub(super) fn read(file: &[u8]) -> File {
    let lexed = lex(file);
    let partners = partners(&lexed.tokens);
    let mut parser = Parser {
        tokens: &lexed.tokens,
        partners: &partners,
        at: 0,
        depth: 0,
    };
    let mut block = Vec::new();
    while parser.at < parser.tokens.len() {
        let before = parser.at;
        block.extend(parser.block(&[]));
        if parser.at == before || parser.is_sign(0, b'}') {
            // A brace too many.
            parser.at += 1;
        }
    }
    File {
        lexed,
        block,
        partners,
    }
}

/// Which bracket closes which; brackets that do not match have no partner.
fn partners(tokens: &[Lexeme]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open: Vec<(u8, usize)> = Vec::new();
    for (at, lexeme) in tokens.iter().enumerate() {
        let Token::Sign(sign) = lexeme.token else {
            continue;
        };
        let opener = match sign {
            b'(' | b'[' | b'{' => {
                open.push((sign, at));
                continue;
            }
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => continue,
        };
        if let Some((_, from)) = open.pop_if(|(sign, _)| *sign == opener) {
            partners[from] = Some(at);
            partners[at] = Some(from);
        }
    }
    partners
}

struct Parser<'a> {
    tokens: &'a [Lexeme],
    partners: &'a [Option<usize>],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn token(&self, offset: usize) -> Option<&Token> {
        self.tokens.get(self.at + offset).map(|it| &it.token)
    }

    fn is_sign(&self, offset: usize, sign: u8) -> bool {
        self.token(offset) == Some(&Token::Sign(sign))
    }

    fn take_sign(&mut self, sign: u8) -> bool {
        let taken = self.is_sign(0, sign);
        self.at += usize::from(taken);
        taken
    }

    /// The keyword or name here, in lower case.
    fn word(&self, offset: usize) -> Option<Vec<u8>> {
        match self.token(offset) {
            Some(Token::Name(name)) => Some(name.to_ascii_lowercase()),
            _ => None,
        }
    }

    /// Statements up to one of the words `ends`, a closing brace, or the file's end.
    fn block(&mut self, ends: &[&[u8]]) -> Block {
        let mut block = Vec::new();
        while self.at < self.tokens.len() && !self.is_sign(0, b'}') {
            if !ends.is_empty()
                && let Some(word) = self.word(0)
                && ends.contains(&word.as_slice())
            {
                break;
            }
            block.push(self.statement());
        }
        block
    }

    /// One statement; always takes at least one token where there is one.
    fn statement(&mut self) -> Node {
        let start = self.at;
        self.depth += 1;
        let statement = if self.depth > MAX_DEPTH {
            // Too deep to follow: what is left may do anything that stands in it.
            self.at = self.tokens.len();
            Statement::Expression(Expression::Opaque(start..self.at))
        } else {
            self.statement_inside()
        };
        self.depth -= 1;
        if self.at == start {
            self.at += 1;
        }
        self.at = self.at.min(self.tokens.len());
        Node {
            statement,
            span: self.bytes(start..self.at),
        }
    }

    fn bytes(&self, tokens: Range<usize>) -> Range<usize> {
        let mut last = tokens.end.saturating_sub(1);
        if last > tokens.start && self.tokens[last].token == Token::Output {
            last -= 1;
        }
        match (self.tokens.get(tokens.start), self.tokens.get(last)) {
            (Some(first), Some(last)) => first.span.start..last.span.end,
            _ => 0..0,
        }
    }

    fn statement_inside(&mut self) -> Statement {
        match self.token(0) {
            Some(Token::Sign(b';') | Token::Output) | None => {
                self.at += 1;
                return Statement::Nothing;
            }
            Some(Token::Sign(b'{')) => {
                self.at += 1;
                let block = self.block(&[]);
                self.take_sign(b'}');
                return Statement::Block(block);
            }
            _ => {}
        }
        if let Some(word) = self.word(0)
            && !self.is_sign(1, b'\\')
        {
            match word.as_slice() {
                b"if" => return self.conditional(),
                b"while" | b"for" | b"foreach" | b"switch" | b"declare" | b"do" | b"try" => {
                    return self.other_control(&word);
                }
                b"function" if !self.is_closure() => return self.declaration(),
                b"class" | b"interface" | b"trait" | b"abstract" | b"final" | b"enum"
                | b"readonly"
                    if matches!(self.token(1), Some(Token::Name(_))) =>
                {
                    return self.declaration();
                }
                b"const" => return self.constants(),
                b"return" | b"__halt_compiler" => {
                    self.skip_statement();
                    return Statement::Stop;
                }
                _ => {}
            }
        }
        let start = self.at;
        if let Some(expression) = self.expression()
            && (self.is_sign(0, b';') || matches!(self.token(0), Some(Token::Output) | None))
        {
            self.at += 1;
            return Statement::Expression(expression);
        }
        self.at = start;
        self.skip_statement();
        Statement::Expression(Expression::Opaque(start..self.at))
    }

    /// `function (` or `function &(`: an expression, not a declaration.
    fn is_closure(&self) -> bool {
        self.is_sign(1, b'(') || (self.is_sign(1, b'&') && self.is_sign(2, b'('))
    }

    /// Goes behind the end of the statement: its `;`, or before the brace that ends
    /// its block.
    fn skip_statement(&mut self) {
        while let Some(token) = self.token(0) {
            match token {
                Token::Sign(b';') | Token::Output => {
                    self.at += 1;
                    return;
                }
                Token::Sign(b'}') => return,
                Token::Sign(b'(' | b'[' | b'{') => {
                    self.at = self.partners[self.at].map_or(self.at, |end| end) + 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Behind a function's or class' body; what is inside is looked at apart.
    fn declaration(&mut self) -> Statement {
        while let Some(token) = self.token(0) {
            match token {
                Token::Sign(b'{') => {
                    self.at = self.partners[self.at].map_or(self.tokens.len(), |end| end + 1);
                    break;
                }
                Token::Sign(b';') => {
                    self.at += 1;
                    break;
                }
                Token::Sign(b'(' | b'[') => {
                    self.at = self.partners[self.at].map_or(self.at, |end| end) + 1;
                }
                _ => self.at += 1,
            }
        }
        Statement::Nothing
    }

    /// Tokens inside the parentheses here, which are then behind us.
    fn parenthesised(&mut self) -> Option<Range<usize>> {
        if !self.is_sign(0, b'(') {
            return None;
        }
        let end = self.partners[self.at]?;
        let inside = self.at + 1..end;
        self.at = end + 1;
        Some(inside)
    }

    /// The condition in parentheses here.
    fn condition(&mut self) -> Expression {
        let start = self.at;
        let Some(inside) = self.parenthesised() else {
            // Nothing that PHP would run.
            return Expression::Opaque(start..start);
        };
        let behind = self.at;
        self.at = inside.start;
        let read = self.expression().filter(|_| self.at == inside.end);
        self.at = behind;
        read.unwrap_or(Expression::Opaque(inside))
    }

    fn conditional(&mut self) -> Statement {
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        self.at += 1;
        let condition = self.condition();
        if self.take_sign(b':') {
            const ENDS: [&[u8]; 3] = [b"elseif", b"else", b"endif"];
            arms.push((condition, self.block(&ENDS)));
            loop {
                match self.word(0).as_deref() {
                    Some(b"elseif") => {
                        self.at += 1;
                        let condition = self.condition();
                        self.take_sign(b':');
                        arms.push((condition, self.block(&ENDS)));
                    }
                    Some(b"else") => {
                        self.at += 1;
                        self.take_sign(b':');
                        otherwise.extend(self.block(&ENDS));
                    }
                    Some(b"endif") => {
                        self.at += 1;
                        break;
                    }
                    _ => break,
                }
            }
            return Statement::If { arms, otherwise };
        }
        arms.push((condition, vec![self.statement()]));
        loop {
            let word = self.word(0);
            if word.as_deref() == Some(b"elseif") {
                self.at += 1;
            } else if word.as_deref() == Some(b"else") && self.word(1).as_deref() == Some(b"if") {
                self.at += 2;
            } else {
                if word.as_deref() == Some(b"else") {
                    self.at += 1;
                    otherwise.push(self.statement());
                }
                return Statement::If { arms, otherwise };
            }
            let condition = self.condition();
            arms.push((condition, vec![self.statement()]));
        }
    }

    /// Loops, `switch` and `try`, which are not followed.
    fn other_control(&mut self, word: &[u8]) -> Statement {
        let start = self.at;
        self.at += 1;
        match word {
            b"do" => {
                self.statement();
                self.skip_statement();
            }
            b"try" => {
                self.statement();
                while matches!(self.word(0).as_deref(), Some(b"catch" | b"finally")) {
                    self.at += 1;
                    self.parenthesised();
                    self.statement();
                }
            }
            _ => {
                self.parenthesised();
                if self.take_sign(b':') {
                    let end: &[u8] = match word {
                        b"while" => b"endwhile",
                        b"for" => b"endfor",
                        b"foreach" => b"endforeach",
                        b"switch" => b"endswitch",
                        _ => b"enddeclare",
                    };
                    self.block(&[end]);
                    self.skip_statement();
                } else {
                    self.statement();
                }
            }
        }
        Statement::Expression(Expression::Opaque(start..self.at.min(self.tokens.len())))
    }

    fn constants(&mut self) -> Statement {
        let start = self.at;
        let mut all = Vec::new();
        loop {
            self.at += 1;
            let Some(Token::Name(name)) = self.token(0).cloned() else {
                break;
            };
            self.at += 1;
            if !self.take_sign(b'=') {
                break;
            }
            let from = self.at;
            let Some(value) = self.expression() else {
                break;
            };
            all.push(Definition {
                name: Expression::Literal(Value::Text(name)),
                value,
                span: self.bytes(from..self.at),
            });
            if self.is_sign(0, b',') {
                continue;
            }
            if self.is_sign(0, b';') || matches!(self.token(0), Some(Token::Output) | None) {
                self.at += 1;
                return Statement::Constants(all);
            }
            break;
        }
        self.at = start;
        self.skip_statement();
        Statement::Expression(Expression::Opaque(start..self.at))
    }
}
