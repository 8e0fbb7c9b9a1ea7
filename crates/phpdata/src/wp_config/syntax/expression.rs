//! Expressions, by falling precedence as PHP 8 has it.

use super::{Cast, Definition, Expression, MAX_DEPTH, Operator, Parser, Token, Value};
use std::ops::Range;

/// Arithmetic that is written in one go; longer chains are not followed.
const MAX_CHAIN: usize = 16;
/// Operands of `.`, `&&` or `||` in one go.
const MAX_OPERANDS: usize = 64;

/// Functions that are sure to change nothing, not even what they are given.
const HARMLESS: [&[u8]; 22] = [
    b"getenv",
    b"function_exists",
    b"class_exists",
    b"file_exists",
    b"is_readable",
    b"is_file",
    b"is_dir",
    b"realpath",
    b"in_array",
    b"strpos",
    b"stripos",
    b"str_replace",
    b"strtolower",
    b"strtoupper",
    b"trim",
    b"rtrim",
    b"ltrim",
    b"md5",
    b"sha1",
    b"basename",
    b"intval",
    b"strval",
];

type Read = Option<Expression>;

impl Parser<'_> {
    /// A whole expression; `None` where it is not understood, the place then
    /// being anywhere.
    pub(super) fn expression(&mut self) -> Read {
        self.depth += 1;
        let read = if self.depth > MAX_DEPTH {
            None
        } else {
            self.word_or()
        };
        self.depth -= 1;
        read
    }

    /// `or`, the lowest.
    fn word_or(&mut self) -> Read {
        let mut all = vec![self.word_and()?];
        while self.word(0).as_deref() == Some(b"or") {
            self.at += 1;
            all.push(self.word_and()?);
        }
        one_or(all, Expression::Or)
    }

    fn word_and(&mut self) -> Read {
        let mut all = vec![self.ternary()?];
        while self.word(0).as_deref() == Some(b"and") {
            self.at += 1;
            all.push(self.ternary()?);
        }
        one_or(all, Expression::And)
    }

    fn ternary(&mut self) -> Read {
        let condition = self.coalesce()?;
        if !self.is_sign(0, b'?') {
            return Some(condition);
        }
        self.at += 1;
        let middle = if self.is_sign(0, b':') {
            None
        } else {
            Some(Box::new(self.nested(Self::ternary)?))
        };
        if !self.take_sign(b':') {
            return None;
        }
        // Nested without parentheses it is an error in PHP 8.
        let last = self.nested(Self::coalesce)?;
        Some(Expression::Ternary(
            Box::new(condition),
            middle,
            Box::new(last),
        ))
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Read) -> Read {
        self.depth += 1;
        let read = if self.depth > MAX_DEPTH {
            None
        } else {
            inner(self)
        };
        self.depth -= 1;
        read
    }

    fn coalesce(&mut self) -> Read {
        let left = self.or()?;
        if self.is_sign(0, b'?') && self.is_sign(1, b'?') && !self.is_sign(2, b'=') {
            self.at += 2;
            let right = self.nested(Self::coalesce)?;
            return Some(Expression::Coalesce(Box::new(left), Box::new(right)));
        }
        Some(left)
    }

    fn or(&mut self) -> Read {
        let mut all = vec![self.and()?];
        while self.is_sign(0, b'|') && self.is_sign(1, b'|') {
            self.at += 2;
            all.push(self.and()?);
        }
        one_or(all, Expression::Or)
    }

    fn and(&mut self) -> Read {
        let mut all = vec![self.comparison()?];
        while self.is_sign(0, b'&') && self.is_sign(1, b'&') {
            self.at += 2;
            all.push(self.comparison()?);
        }
        one_or(all, Expression::And)
    }

    fn comparison(&mut self) -> Read {
        let left = self.concat()?;
        let Some((operator, length)) = self.comparing() else {
            return Some(left);
        };
        self.at += length;
        let right = self.concat()?;
        // `a == b == c` is no PHP; `a < b == c` is nobody's.
        if self.comparing().is_some() {
            return None;
        }
        Some(Expression::Binary(
            operator,
            Box::new(left),
            Box::new(right),
        ))
    }

    fn comparing(&self) -> Option<(Operator, usize)> {
        let sign = |offset| match self.token(offset) {
            Some(Token::Sign(sign)) => *sign,
            _ => 0,
        };
        Some(match (sign(0), sign(1), sign(2)) {
            (b'=', b'=', b'=') => (Operator::Same, 3),
            (b'=', b'=', _) => (Operator::Equal, 2),
            (b'!', b'=', b'=') => (Operator::NotSame, 3),
            (b'!', b'=', _) | (b'<', b'>', _) => (Operator::NotEqual, 2),
            (b'<', b'=', other) if other != b'>' => (Operator::LessOrEqual, 2),
            (b'>', b'=', _) => (Operator::GreaterOrEqual, 2),
            (b'<', other, _) if !matches!(other, b'<' | b'=') => (Operator::Less, 1),
            (b'>', other, _) if other != b'>' => (Operator::Greater, 1),
            _ => return None,
        })
    }

    fn concat(&mut self) -> Read {
        let mut all = vec![self.sum()?];
        while self.is_sign(0, b'.') && !self.is_sign(1, b'=') && !self.is_sign(1, b'.') {
            self.at += 1;
            all.push(self.sum()?);
        }
        one_or(all, Expression::Concat)
    }

    fn sum(&mut self) -> Read {
        let mut left = self.product()?;
        for _ in 0..MAX_CHAIN {
            let operator = match self.token(0) {
                Some(Token::Sign(b'+')) => Operator::Plus,
                Some(Token::Sign(b'-')) => Operator::Minus,
                _ => return Some(left),
            };
            self.at += 1;
            let right = self.product()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        None
    }

    fn product(&mut self) -> Read {
        let mut left = self.unary()?;
        for _ in 0..MAX_CHAIN {
            if !self.is_sign(0, b'*') || self.is_sign(1, b'*') {
                return Some(left);
            }
            self.at += 1;
            let right = self.unary()?;
            left = Expression::Binary(Operator::Times, Box::new(left), Box::new(right));
        }
        None
    }

    fn unary(&mut self) -> Read {
        match self.token(0)? {
            Token::Sign(b'!') => {
                self.at += 1;
                Some(Expression::Not(Box::new(self.nested(Self::unary)?)))
            }
            Token::Sign(b'@') => {
                self.at += 1;
                self.nested(Self::unary)
            }
            Token::Sign(b'-') => {
                self.at += 1;
                let value = self.nested(Self::unary)?;
                let zero = Expression::Literal(Value::Int(0));
                Some(Expression::Binary(
                    Operator::Minus,
                    Box::new(zero),
                    Box::new(value),
                ))
            }
            Token::Sign(b'(') => {
                if let Some(cast) = self.cast() {
                    self.at += 3;
                    let value = self.nested(Self::unary)?;
                    return Some(Expression::Cast(cast, Box::new(value)));
                }
                self.at += 1;
                let inside = self.expression()?;
                self.take_sign(b')').then_some(())?;
                self.unless_followed(inside)
            }
            _ => self.primary(),
        }
    }

    fn cast(&self) -> Option<Cast> {
        if !self.is_sign(2, b')') {
            return None;
        }
        Some(match self.word(1)?.as_slice() {
            b"string" | b"binary" => Cast::Text,
            b"int" | b"integer" => Cast::Int,
            b"bool" | b"boolean" => Cast::Bool,
            b"float" | b"double" | b"array" | b"object" => Cast::Other,
            _ => return None,
        })
    }

    /// What is indexed, called or asked for a member is not followed.
    fn unless_followed(&self, read: Expression) -> Read {
        let followed = match self.token(0) {
            Some(Token::Sign(b'(' | b'[' | b'{')) => true,
            Some(Token::Sign(b'-')) => self.is_sign(1, b'>') || self.is_sign(1, b'-'),
            Some(Token::Sign(b'+')) => self.is_sign(1, b'+'),
            Some(Token::Sign(b'?')) => self.is_sign(1, b'-') && self.is_sign(2, b'>'),
            Some(Token::Sign(b':')) => self.is_sign(1, b':'),
            _ => false,
        };
        (!followed).then_some(read)
    }

    fn primary(&mut self) -> Read {
        let token = self.token(0)?.clone();
        self.at += 1;
        match token {
            Token::Text(text) => {
                let value = text.map_or(Value::Unknown, Value::Text);
                self.unless_followed(Expression::Literal(value))
            }
            Token::Number(number) => {
                let value = number.map_or(Value::Unknown, Value::Int);
                Some(Expression::Literal(value))
            }
            Token::Variable(name) => self.variable(name),
            Token::Sign(b'\\') => match self.token(0)?.clone() {
                Token::Name(name) => {
                    self.at += 1;
                    self.name(&name)
                }
                _ => None,
            },
            Token::Name(name) => self.name(&name),
            _ => None,
        }
    }

    fn variable(&mut self, name: Vec<u8>) -> Read {
        if name == b"GLOBALS" {
            return None;
        }
        let mut indexes = Vec::new();
        while self.is_sign(0, b'[') {
            let end = self.partners[self.at]?;
            indexes.push(Expression::Opaque(self.at + 1..end));
            self.at = end + 1;
        }
        if self.is_sign(0, b'=') && !self.is_sign(1, b'=') && !self.is_sign(1, b'>') {
            if self.is_sign(1, b'&') {
                return None;
            }
            self.at += 1;
            let start = self.at;
            let value = self.nested(Self::ternary)?;
            let span = self.bytes(start..self.at);
            if indexes.is_empty() {
                return Some(Expression::Assign(
                    name.clone(),
                    Box::new(Definition {
                        name: Expression::Variable(name),
                        value,
                        span,
                    }),
                ));
            }
            indexes.push(value);
            return Some(Expression::Touch(
                name,
                Box::new(Expression::Unread(indexes)),
            ));
        }
        if self.is_sign(0, b'.') && self.is_sign(1, b'=') {
            self.at += 2;
            let value = self.nested(Self::ternary)?;
            indexes.push(value);
            return Some(Expression::Touch(
                name,
                Box::new(Expression::Unread(indexes)),
            ));
        }
        // `+=`, `??=` and their like are not followed.
        if self.is_sign(1, b'=') && matches!(self.token(0), Some(Token::Sign(b'+' | b'-' | b'*'))) {
            return None;
        }
        let read = if indexes.is_empty() {
            Expression::Variable(name)
        } else {
            Expression::Unread(indexes)
        };
        self.unless_followed(read)
    }

    fn name(&mut self, name: &[u8]) -> Read {
        if self.is_sign(0, b'\\') {
            return None;
        }
        let word = name.to_ascii_lowercase();
        match word.as_slice() {
            b"true" => return self.unless_followed(Expression::Literal(Value::Bool(true))),
            b"false" => return self.unless_followed(Expression::Literal(Value::Bool(false))),
            b"null" => return self.unless_followed(Expression::Literal(Value::Null)),
            b"__dir__" => return self.unless_followed(Expression::Directory),
            b"__file__" => return self.unless_followed(Expression::File),
            b"include" | b"include_once" | b"require" | b"require_once" => {
                return self.include();
            }
            b"exit" | b"die" => {
                if self.is_sign(0, b'(') {
                    self.parenthesised()?;
                }
                return Some(Expression::Exit);
            }
            b"isset" | b"empty" => {
                self.parenthesised()?;
                return Some(Expression::Literal(Value::Unknown));
            }
            b"eval" | b"new" | b"clone" | b"function" | b"fn" | b"static" | b"match" | b"yield"
            | b"throw" | b"print" | b"echo" | b"list" | b"unset" | b"global" | b"use"
            | b"namespace" | b"goto" | b"break" | b"continue" | b"case" | b"default"
            | b"extract" | b"parse_str" => return None,
            _ => {}
        }
        if !self.is_sign(0, b'(') {
            return self.unless_followed(Expression::Constant(name.to_vec()));
        }
        let mut arguments = self.arguments()?;
        let count = arguments.len();
        let mut next = || arguments.remove(0);
        let read = match word.as_slice() {
            b"define" if count >= 2 => {
                let (name, _) = next();
                let (value, tokens) = next();
                Expression::Define(Box::new(Definition {
                    name,
                    value,
                    span: self.bytes(tokens),
                }))
            }
            // Whatever it is given, nothing can be said of it.
            b"define" => return None,
            b"defined" if count == 1 => Expression::Defined(Box::new(next().0)),
            b"constant" if count == 1 => Expression::ConstantOf(Box::new(next().0)),
            b"dirname" if count == 1 => Expression::Dirname(Box::new(next().0), None),
            b"dirname" if count == 2 => {
                let path = Box::new(next().0);
                Expression::Dirname(path, Some(Box::new(next().0)))
            }
            _ => {
                let arguments = arguments
                    .into_iter()
                    .map(|(argument, _)| argument)
                    .collect();
                if HARMLESS.contains(&word.as_slice()) {
                    Expression::Unread(arguments)
                } else {
                    Expression::Call(arguments)
                }
            }
        };
        self.unless_followed(read)
    }

    /// The arguments in the parentheses here, each with its tokens.
    fn arguments(&mut self) -> Option<Vec<(Expression, Range<usize>)>> {
        let inside = self.parenthesised()?;
        let behind = self.at;
        let mut arguments = Vec::new();
        self.at = inside.start;
        while self.at < inside.end {
            let start = self.at;
            let read = self.expression().filter(|_| {
                self.at == inside.end || (self.at < inside.end && self.is_sign(0, b','))
            });
            let argument = if let Some(read) = read {
                read
            } else {
                self.at = start;
                while self.at < inside.end && !self.is_sign(0, b',') {
                    self.at = self.partners[self.at]
                        .filter(|end| *end > self.at)
                        .unwrap_or(self.at)
                        + 1;
                }
                Expression::Opaque(start..self.at)
            };
            arguments.push((argument, start..self.at));
            self.at += 1;
        }
        self.at = behind;
        Some(arguments)
    }

    fn include(&mut self) -> Read {
        let start = self.at;
        let path = self.nested(Self::ternary)?;
        let loads = self.tokens[start..self.at].iter().any(|lexeme| {
            matches!(&lexeme.token, Token::Text(Some(path)) if path.ends_with(b"wp-settings.php"))
        });
        Some(Expression::Include(Box::new(path), loads))
    }
}

/// Operands of one operator that may be written many times.
fn one_or(mut all: Vec<Expression>, many: impl FnOnce(Vec<Expression>) -> Expression) -> Read {
    if all.len() > MAX_OPERANDS {
        return None;
    }
    let last = all.pop()?;
    if all.is_empty() {
        return Some(last);
    }
    all.push(last);
    Some(many(all))
}
