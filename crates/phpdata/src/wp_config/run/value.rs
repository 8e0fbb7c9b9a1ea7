//! What expressions come to, as far as that is certain.

use super::{EARLIER, Run};
use crate::wp_config::{
    Value,
    syntax::{Cast, Expression, Operator},
};

/// A string made of more than this is not followed.
const MAX_TEXT: usize = 64 * 1024;

impl Run<'_> {
    /// Evaluates, and does whatever the expression does.
    pub(super) fn value(&mut self, expression: &Expression) -> Value {
        if self.state.ended {
            return Value::Unknown;
        }
        match expression {
            Expression::Literal(value) => value.clone(),
            Expression::Constant(name) => self.constant(name),
            Expression::Variable(name) => self.variable(name),
            Expression::Directory => self
                .place
                .map_or(Value::Unknown, |place| Value::Text(dirname(&place.file, 1))),
            Expression::File => self
                .place
                .map_or(Value::Unknown, |place| Value::Text(place.file.clone())),
            Expression::Define(definition) => {
                self.define(definition);
                Value::Unknown
            }
            Expression::Defined(name) => match self.value(name) {
                Value::Text(name) => self.is_defined(&name),
                _ => Value::Unknown,
            },
            Expression::ConstantOf(name) => match self.value(name) {
                Value::Text(name) => self.constant(&name),
                _ => Value::Unknown,
            },
            Expression::Dirname(path, levels) => {
                let path = self.value(path);
                let levels = levels.as_ref().map_or(Value::Int(1), |it| self.value(it));
                match (path, levels) {
                    (Value::Text(path), Value::Int(levels)) if (1..=64).contains(&levels) => {
                        Value::Text(dirname(&path, levels))
                    }
                    _ => Value::Unknown,
                }
            }
            Expression::Assign(name, definition) => {
                let value = self.value(&definition.value);
                self.assign(name, value.clone());
                value
            }
            Expression::Touch(name, inner) => {
                self.value(inner);
                self.assign(name, Value::Unknown);
                Value::Unknown
            }
            Expression::Call(arguments) => {
                for argument in arguments {
                    let value = self.value(argument);
                    // It may take a reference.
                    if let Expression::Variable(name) = argument {
                        self.assign(name, Value::Unknown);
                    }
                    // It may call that.
                    if matches!(value, Value::Text(name) if name.eq_ignore_ascii_case(b"define")) {
                        self.state.opaque = true;
                    }
                }
                Value::Unknown
            }
            Expression::Include(path, loads) => {
                self.value(path);
                if *loads {
                    let now = self.copy();
                    self.loaded.push(now);
                    self.state.ended = true;
                } else {
                    self.lose_all();
                }
                Value::Unknown
            }
            Expression::Exit => {
                self.state.ended = true;
                Value::Unknown
            }
            Expression::Unread(all) => {
                for one in all {
                    self.value(one);
                }
                Value::Unknown
            }
            Expression::Opaque(range) => {
                self.suspect(range.clone(), true);
                Value::Unknown
            }
            Expression::Not(inner) => self
                .value(inner)
                .truth()
                .map_or(Value::Unknown, |truth| Value::Bool(!truth)),
            Expression::And(all) => self.chain(all, false),
            Expression::Or(all) => self.chain(all, true),
            Expression::Ternary(condition, middle, last) => {
                self.ternary(condition, middle.as_deref(), last)
            }
            Expression::Coalesce(one, other) => match self.value(one) {
                Value::Unknown => {
                    self.perhaps(|run| run.value(other));
                    Value::Unknown
                }
                Value::Null => self.value(other),
                value => value,
            },
            Expression::Concat(all) => self.concat(all),
            Expression::Binary(operator, left, right) => {
                let left = self.value(left);
                let right = self.value(right);
                binary(*operator, &left, &right)
            }
            Expression::Cast(cast, inner) => convert(*cast, self.value(inner)),
        }
    }

    fn constant(&self, name: &[u8]) -> Value {
        if let Some(given) = self.given(name) {
            return given;
        }
        let defined = std::str::from_utf8(name)
            .ok()
            .and_then(|name| self.state.constants.get(name.trim_start_matches('\\')));
        match (defined, name) {
            (Some(value), _) => value.clone(),
            (None, b"DIRECTORY_SEPARATOR") => Value::Text(b"/".to_vec()),
            (None, b"PHP_EOL") => Value::Text(b"\n".to_vec()),
            _ => Value::Unknown,
        }
    }

    fn is_defined(&self, name: &[u8]) -> Value {
        if self.given(name).is_some() {
            return Value::Bool(true);
        }
        let defined = std::str::from_utf8(name)
            .ok()
            .and_then(|name| self.state.constants.get(name));
        match defined {
            // It may stand for "perhaps not at all".
            Some(Value::Unknown) => Value::Unknown,
            Some(_) => Value::Bool(true),
            None if self.state.opaque || EARLIER.contains(&name) => Value::Unknown,
            // Of other names nothing says whether PHP has them.
            None if self.mentioned.contains(name) => Value::Bool(false),
            None => Value::Unknown,
        }
    }

    fn variable(&self, name: &[u8]) -> Value {
        let known = self.state.variables.get(name);
        known.cloned().unwrap_or(Value::Unknown)
    }

    /// `&&` and `||` of any length, the rest not evaluated once `decides` came up.
    fn chain(&mut self, all: &[Expression], decides: bool) -> Value {
        let Some((first, rest)) = all.split_first() else {
            return Value::Bool(!decides);
        };
        let truth = self.value(first).truth();
        if truth == Some(decides) {
            return Value::Bool(decides);
        }
        if rest.is_empty() {
            return truth.map_or(Value::Unknown, Value::Bool);
        }
        if truth.is_some() {
            return self.chain(rest, decides);
        }
        match self.perhaps(|run| run.chain(rest, decides)) {
            Value::Bool(rest) if rest == decides => Value::Bool(decides),
            _ => Value::Unknown,
        }
    }

    fn ternary(
        &mut self,
        condition: &Expression,
        middle: Option<&Expression>,
        last: &Expression,
    ) -> Value {
        let test = self.value(condition);
        match (test.truth(), middle) {
            (Some(true), None) => test,
            (Some(true), Some(middle)) => self.value(middle),
            (Some(false), _) => self.value(last),
            (None, middle) => {
                let before = self.copy();
                let one = middle.map_or(Value::Unknown, |middle| self.value(middle));
                let state = std::mem::replace(&mut self.state, before);
                let other = self.value(last);
                let here = std::mem::take(&mut self.state);
                self.state = self.joined(here, state);
                if one == other { one } else { Value::Unknown }
            }
        }
    }

    fn concat(&mut self, all: &[Expression]) -> Value {
        let mut joined = Some(Vec::new());
        for one in all {
            // Evaluated even when the whole is lost already: it may do something.
            let bytes = self.value(one).bytes();
            joined = match (joined, bytes) {
                (Some(mut left), Some(right)) if left.len() + right.len() <= MAX_TEXT => {
                    left.extend_from_slice(&right);
                    Some(left)
                }
                _ => None,
            };
        }
        joined.map_or(Value::Unknown, Value::Text)
    }
}

fn binary(operator: Operator, left: &Value, right: &Value) -> Value {
    use Operator as Op;
    if *left == Value::Unknown || *right == Value::Unknown {
        return Value::Unknown;
    }
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        let number = match operator {
            Op::Plus => left.checked_add(*right),
            Op::Minus => left.checked_sub(*right),
            Op::Times => left.checked_mul(*right),
            Op::Same | Op::Equal => return Value::Bool(left == right),
            Op::NotSame | Op::NotEqual => return Value::Bool(left != right),
            Op::Less => return Value::Bool(left < right),
            Op::Greater => return Value::Bool(left > right),
            Op::LessOrEqual => return Value::Bool(left <= right),
            Op::GreaterOrEqual => return Value::Bool(left >= right),
        };
        // Past 64 bits it is a float.
        return number.map_or(Value::Unknown, Value::Int);
    }
    let same = match operator {
        Op::Same | Op::NotSame => left == right,
        Op::Equal | Op::NotEqual => match (left, right) {
            (Value::Text(left), Value::Text(right)) if !(numeric(left) && numeric(right)) => {
                left == right
            }
            (Value::Bool(truth), other) | (other, Value::Bool(truth)) => {
                other.truth() == Some(*truth)
            }
            _ => return Value::Unknown,
        },
        _ => return Value::Unknown,
    };
    Value::Bool(same == matches!(operator, Op::Same | Op::Equal))
}

/// Whether PHP may compare a string as a number.
fn numeric(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

fn convert(cast: Cast, value: Value) -> Value {
    match (cast, value) {
        (_, Value::Unknown) | (Cast::Other, _) => Value::Unknown,
        (Cast::Text, value) => value.bytes().map_or(Value::Unknown, Value::Text),
        (Cast::Bool, value) => value.truth().map_or(Value::Unknown, Value::Bool),
        (Cast::Int, Value::Text(text)) => plain_integer(&text).map_or(Value::Unknown, Value::Int),
        (Cast::Int, Value::Bool(truth)) => Value::Int(i64::from(truth)),
        (Cast::Int, Value::Null) => Value::Int(0),
        (Cast::Int, number) => number,
    }
}

/// A string that is nothing but a decimal integer; PHP's other forms are left alone.
fn plain_integer(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// PHP's `dirname()` on a system with `/`.
pub(super) fn dirname(path: &[u8], levels: i64) -> Vec<u8> {
    let mut path = path.to_vec();
    for _ in 0..levels {
        if path.is_empty() {
            return path;
        }
        let named = path.iter().rposition(|byte| *byte != b'/');
        let Some(named) = named else {
            return b"/".to_vec();
        };
        let Some(slash) = path[..named].iter().rposition(|byte| *byte == b'/') else {
            return b".".to_vec();
        };
        match path[..slash].iter().rposition(|byte| *byte != b'/') {
            Some(last) => path.truncate(last + 1),
            None => return b"/".to_vec(),
        }
    }
    path
}
