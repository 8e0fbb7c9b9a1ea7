//! `wp-config.php`, read without running it.
//!
//! Only what is certain is answered. A constant that is defined inside a condition,
//! from a computed value, or after something that may have defined it first (an
//! include, `eval`) is [`Value::Unknown`]. The first definition counts, as in PHP;
//! reading stops where WordPress itself is loaded.

use crate::tokens::{Token, tokenize};
use std::collections::BTreeMap;

/// The value of a constant or variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string, of whatever bytes.
    Text(Vec<u8>),
    /// An integer.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// It is, or may be, something, and only running the file would tell.
    Unknown,
}

impl Value {
    /// As a string, the way PHP converts; `None` when unknown or not UTF-8.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(bytes) => String::from_utf8(bytes.clone()).ok(),
            Self::Int(number) => Some(number.to_string()),
            Self::Bool(true) => Some("1".to_owned()),
            Self::Bool(false) | Self::Null => Some(String::new()),
            Self::Unknown => None,
        }
    }

    /// As a condition, the way PHP converts; `None` when unknown.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Text(bytes) => Some(!bytes.is_empty() && bytes != b"0"),
            Self::Int(number) => Some(*number != 0),
            Self::Bool(truth) => Some(*truth),
            Self::Null => Some(false),
            Self::Unknown => None,
        }
    }
}

/// What a `wp-config.php` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WpConfig {
    constants: BTreeMap<String, Value>,
    table_prefix: Option<Value>,
    opaque: bool,
}

impl WpConfig {
    /// A constant; `None` when it is certainly not defined.
    pub fn constant(&self, name: &str) -> Option<&Value> {
        self.constants
            .get(name)
            .or(self.opaque.then_some(&Value::Unknown))
    }

    /// `$table_prefix`; `None` when it is certainly not set.
    pub fn table_prefix(&self) -> Option<&Value> {
        self.table_prefix
            .as_ref()
            .or(self.opaque.then_some(&Value::Unknown))
    }
}

/// Reads a file. Anything can be given; nonsense says nothing.
pub fn parse(file: &[u8]) -> WpConfig {
    let tokens = tokenize(file);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        config: WpConfig::default(),
    };
    reader.run();
    reader.config
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    config: WpConfig,
}

const CONDITIONAL: [&[u8]; 22] = [
    b"if",
    b"elseif",
    b"else",
    b"while",
    b"for",
    b"foreach",
    b"switch",
    b"do",
    b"try",
    b"catch",
    b"finally",
    b"function",
    b"class",
    b"interface",
    b"trait",
    b"abstract",
    b"final",
    b"case",
    b"default",
    b"enum",
    b"match",
    b"fn",
];

impl Reader<'_> {
    fn run(&mut self) {
        let mut braces = 0_usize;
        let mut parens = 0_usize;
        // Open blocks in the form `if (…): … endif`.
        let mut colon_blocks = 0_usize;
        let mut conditional = false;
        let mut starts = true;
        while let Some(token) = self.tokens.get(self.at) {
            let certain = starts && !conditional && braces == 0 && colon_blocks == 0;
            match token {
                Token::Sign(b'{') => {
                    braces += 1;
                    starts = true;
                }
                Token::Sign(b'}') => {
                    braces = braces.saturating_sub(1);
                    conditional = false;
                    starts = parens == 0;
                }
                Token::Sign(b'(' | b'[') => {
                    parens += 1;
                    starts = false;
                }
                Token::Sign(b')' | b']') => {
                    parens = parens.saturating_sub(1);
                }
                Token::Sign(b';') | Token::Output => {
                    conditional = false;
                    starts = true;
                    if *token == Token::Output {
                        parens = 0;
                    }
                }
                // A leading backslash or silencer changes nothing.
                Token::Sign(b'\\' | b'@') if starts => {}
                Token::Variable(name) => {
                    self.variable(name, certain);
                    starts = false;
                }
                Token::Name(name) => {
                    let name = name.to_ascii_lowercase();
                    if parens == 0 && starts && CONDITIONAL.contains(&name.as_slice()) {
                        conditional = true;
                        let behind = self.behind_parens(self.at + 1);
                        if self.tokens.get(behind) == Some(&Token::Sign(b':')) {
                            if matches!(
                                name.as_slice(),
                                b"if" | b"while" | b"for" | b"foreach" | b"switch"
                            ) {
                                colon_blocks += 1;
                            }
                            self.at = behind;
                        } else if behind > self.at + 1 {
                            self.at = behind - 1;
                        }
                        // What follows is a statement of its own, still conditional.
                        starts = true;
                    } else {
                        if starts && name.starts_with(b"end") {
                            colon_blocks = colon_blocks.saturating_sub(1);
                        }
                        if self.word(&name, certain) {
                            return;
                        }
                        starts = false;
                    }
                }
                _ => starts = false,
            }
            self.at += 1;
        }
    }

    /// Handles a name that may define something; true when reading ends here.
    fn word(&mut self, name: &[u8], certain: bool) -> bool {
        match name {
            b"define" => self.define(certain),
            b"const" => self.constant_statement(certain),
            b"include" | b"include_once" | b"require" | b"require_once" => {
                if self.loads_wordpress() {
                    return certain;
                }
                self.config.opaque = true;
            }
            b"eval" | b"extract" | b"parse_str" | b"goto" => self.config.opaque = true,
            b"return" | b"exit" | b"die" | b"__halt_compiler" => return certain,
            _ => {}
        }
        false
    }

    fn define(&mut self, certain: bool) {
        if self.tokens.get(self.at + 1) != Some(&Token::Sign(b'(')) || self.is_member() {
            return;
        }
        let Some(Token::Text(Some(name))) = self.tokens.get(self.at + 2) else {
            // The name itself is computed: it may be any.
            self.config.opaque = true;
            return;
        };
        let comma = self.tokens.get(self.at + 3) == Some(&Token::Sign(b','));
        let value = if certain && comma {
            self.expression(self.at + 4, b"),")
        } else {
            Value::Unknown
        };
        self.set(name, value);
    }

    fn constant_statement(&mut self, certain: bool) {
        let mut at = self.at + 1;
        while let (Some(Token::Name(name)), Some(Token::Sign(b'='))) =
            (self.tokens.get(at), self.tokens.get(at + 1))
        {
            let value = if certain {
                self.expression(at + 2, b";,")
            } else {
                Value::Unknown
            };
            let known = value != Value::Unknown;
            self.set(name, value);
            // `const A = 1, B = 2;`
            at += 2;
            while known && !matches!(self.tokens.get(at), None | Some(Token::Sign(b',' | b';'))) {
                at += 1;
            }
            if self.tokens.get(at) != Some(&Token::Sign(b',')) {
                break;
            }
            at += 1;
        }
    }

    fn set(&mut self, name: &[u8], value: Value) {
        let Ok(name) = std::str::from_utf8(name) else {
            return;
        };
        let value = if self.config.opaque {
            Value::Unknown
        } else {
            value
        };
        self.config
            .constants
            .entry(name.trim_start_matches('\\').to_owned())
            .or_insert(value);
    }

    fn variable(&mut self, name: &[u8], certain: bool) {
        if name == b"GLOBALS" {
            self.config.table_prefix = Some(Value::Unknown);
        }
        if name != b"table_prefix" {
            return;
        }
        let assigned = self.tokens.get(self.at + 1) == Some(&Token::Sign(b'='))
            && !matches!(
                self.tokens.get(self.at + 2),
                Some(Token::Sign(b'=' | b'>' | b'&'))
            );
        self.config.table_prefix = Some(if assigned && certain {
            self.expression(self.at + 2, b";")
        } else if self.only_read() {
            return;
        } else {
            Value::Unknown
        });
    }

    /// Whether the variable here stands where it cannot change: compared, joined,
    /// or the end of an expression.
    fn only_read(&self) -> bool {
        let before_changes = self.at.checked_sub(1).is_some_and(|at| {
            matches!(&self.tokens[at], Token::Sign(b'&' | b'+' | b'-'))
                || matches!(&self.tokens[at], Token::Name(name)
                    if name.eq_ignore_ascii_case(b"global") || name.eq_ignore_ascii_case(b"as"))
        });
        let next = self.tokens.get(self.at + 1);
        let after_next = self.tokens.get(self.at + 2);
        let reads = match next {
            Some(Token::Sign(b';')) | None => true,
            Some(Token::Sign(b'=')) => after_next == Some(&Token::Sign(b'=')),
            Some(Token::Sign(b'.')) => after_next != Some(&Token::Sign(b'=')),
            _ => false,
        };
        reads && !before_changes
    }

    /// Whether the include at this place names `wp-settings.php`.
    fn loads_wordpress(&self) -> bool {
        self.tokens[self.at..]
            .iter()
            .take_while(|token| !matches!(token, Token::Sign(b';') | Token::Output))
            .any(|token| {
                matches!(token, Token::Text(Some(path)) if path.ends_with(b"wp-settings.php"))
            })
    }

    /// Whether the name here is a method or a declaration, not the function.
    fn is_member(&self) -> bool {
        let Some(before) = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) else {
            return false;
        };
        match before {
            Token::Sign(b'>') => {
                self.at >= 2 && self.tokens.get(self.at - 2) == Some(&Token::Sign(b'-'))
            }
            Token::Sign(b':') => {
                self.at >= 2 && self.tokens.get(self.at - 2) == Some(&Token::Sign(b':'))
            }
            Token::Name(name) => {
                name.eq_ignore_ascii_case(b"function") || name.eq_ignore_ascii_case(b"new")
            }
            _ => false,
        }
    }

    /// The place behind a balanced pair of parentheses that starts at `at`, or `at`.
    fn behind_parens(&self, at: usize) -> usize {
        if self.tokens.get(at) != Some(&Token::Sign(b'(')) {
            return at;
        }
        let mut open = 0_usize;
        for (offset, token) in self.tokens[at..].iter().enumerate() {
            match token {
                Token::Sign(b'(') => open += 1,
                Token::Sign(b')') => {
                    open -= 1;
                    if open == 0 {
                        return at + offset + 1;
                    }
                }
                _ => {}
            }
        }
        at
    }

    /// Literals, perhaps joined by dots, up to one of `ends`.
    fn expression(&self, start: usize, ends: &[u8]) -> Value {
        let mut at = start;
        let mut joined: Option<Value> = None;
        loop {
            let Some((value, next)) = self.literal(at) else {
                return Value::Unknown;
            };
            joined = Some(match joined {
                None => value,
                Some(left) => match (as_bytes(left), as_bytes(value)) {
                    (Some(mut left), Some(right)) => {
                        left.extend_from_slice(&right);
                        Value::Text(left)
                    }
                    _ => Value::Unknown,
                },
            });
            at = next;
            match self.tokens.get(at) {
                Some(Token::Sign(b'.')) => at += 1,
                Some(Token::Sign(sign)) if ends.contains(sign) => {
                    return joined.unwrap_or(Value::Unknown);
                }
                // A closing tag ends a statement as well.
                Some(Token::Output) if ends.contains(&b';') => {
                    return joined.unwrap_or(Value::Unknown);
                }
                _ => return Value::Unknown,
            }
        }
    }

    fn literal(&self, at: usize) -> Option<(Value, usize)> {
        match self.tokens.get(at)? {
            Token::Text(Some(text)) => Some((Value::Text(text.clone()), at + 1)),
            Token::Number(Some(number)) => Some((Value::Int(*number), at + 1)),
            Token::Sign(b'-') => match self.tokens.get(at + 1)? {
                Token::Number(Some(number)) => Some((Value::Int(-number), at + 2)),
                _ => None,
            },
            Token::Name(name) => match name.to_ascii_lowercase().as_slice() {
                b"true" => Some((Value::Bool(true), at + 1)),
                b"false" => Some((Value::Bool(false), at + 1)),
                b"null" => Some((Value::Null, at + 1)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn as_bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::Text(bytes) => Some(bytes),
        other => other.text().map(String::into_bytes),
    }
}

#[cfg(test)]
mod tests;
