//! Where things stand in a file.

use crate::{
    tokens::Token,
    wp_config::syntax::{Block, Definition, Expression, File, Node, Statement},
};
use std::ops::Range;

/// A place that defines a constant or assigns a variable.
#[derive(Debug)]
pub(super) struct Found {
    /// The bytes of the value.
    pub(super) value: Range<usize>,
    /// The whole statement, where it does nothing but this.
    pub(super) statement: Option<Range<usize>>,
    /// It stands in no branch.
    pub(super) plain: bool,
    /// The value is more than a literal.
    pub(super) computed: bool,
}

/// Every `define` and `const` of a name that the parser understood, in order.
pub(super) fn definitions(file: &File, name: &[u8]) -> Vec<Found> {
    let mut walk = Walk {
        wanted: Wanted::Constant(name),
        found: Vec::new(),
    };
    walk.block(&file.block, true);
    walk.found
}

/// Every `$name = …` that the parser understood, in order.
pub(super) fn assignments(file: &File, name: &[u8]) -> Vec<Found> {
    let mut walk = Walk {
        wanted: Wanted::Variable(name),
        found: Vec::new(),
    };
    walk.block(&file.block, true);
    walk.found
}

/// How often a constant is defined anywhere, understood or not.
pub(super) fn mentions(file: &File, name: &[u8]) -> usize {
    let tokens = &file.lexed.tokens;
    (0..tokens.len())
        .filter(|at| match tokens.get(*at..) {
            Some([define, open, text, ..]) if is_word(&define.token, b"define") => {
                open.token == Token::Sign(b'(')
                    && matches!(&text.token, Token::Text(Some(text)) if text == name)
            }
            Some([first, second, third, ..]) => {
                (is_word(&first.token, b"const") || first.token == Token::Sign(b','))
                    && matches!(&second.token, Token::Name(second) if second == name)
                    && third.token == Token::Sign(b'=')
            }
            _ => false,
        })
        .count()
}

/// Where one more line may go: before the comment that asks to stop editing, else
/// before `ABSPATH` is seen to and WordPress is loaded.
pub(super) fn insertion(file: &File, bytes: &[u8]) -> Option<usize> {
    let loads = file.block.iter().position(|node| {
        matches!(
            &node.statement,
            Statement::Expression(Expression::Include(_, true))
        )
    })?;
    let before = &file.block[..loads];
    let mut place = file.block[loads].span.start;
    // The last thing before it is by custom the check of `ABSPATH`.
    if let Some(last) = before
        .iter()
        .rev()
        .find(|node| !node.span.is_empty() && !matches!(node.statement, Statement::Nothing))
        && mentions_abspath(file, &last.span)
    {
        place = last.span.start;
    }
    let depth_zero = |at: usize| !file.block.iter().any(|node| node.span.contains(&at));
    let stop = file.lexed.comments.iter().find(|comment| {
        let text = bytes[comment.start..comment.end].to_ascii_lowercase();
        comment.start < place
            && depth_zero(comment.start)
            && text.windows(12).any(|part| part == b"stop editing")
    });
    if let Some(stop) = stop {
        place = stop.start;
    } else if let Some(comment) = file.lexed.comments.iter().rfind(|it| it.end <= place)
        && depth_zero(comment.start)
        && bytes[comment.end..place].trim_ascii().is_empty()
        && bytes[comment.start..].starts_with(b"/*")
        && !bytes[comment.start..comment.end].starts_with(b"/* END Pressroom ")
    {
        // A comment that belongs to what follows stays with it.
        place = comment.start;
    }
    // At the start of its line where nothing else stands there.
    let line = bytes[..place].iter().rposition(|byte| *byte == b'\n');
    let line = line.map_or(0, |at| at + 1);
    Some(if bytes[line..place].trim_ascii().is_empty() {
        line
    } else {
        place
    })
}

fn mentions_abspath(file: &File, span: &Range<usize>) -> bool {
    file.lexed
        .tokens
        .iter()
        .filter(|it| span.contains(&it.span.start))
        .any(|it| matches!(&it.token, Token::Text(Some(text)) if text == b"ABSPATH"))
}

fn is_word(token: &Token, word: &[u8]) -> bool {
    matches!(token, Token::Name(name) if name.eq_ignore_ascii_case(word))
}

enum Wanted<'a> {
    Constant(&'a [u8]),
    Variable(&'a [u8]),
}

struct Walk<'a> {
    wanted: Wanted<'a>,
    found: Vec<Found>,
}

impl Walk<'_> {
    fn block(&mut self, block: &Block, plain: bool) {
        for node in block {
            let before = self.found.len();
            match &node.statement {
                Statement::Nothing | Statement::Stop => {}
                Statement::Expression(expression) => self.expression(expression, plain),
                Statement::Constants(all) => {
                    for definition in all {
                        self.definition(definition, plain);
                    }
                }
                Statement::Block(inner) => self.block(inner, plain),
                Statement::If { arms, otherwise } => {
                    for (condition, inner) in arms {
                        self.expression(condition, false);
                        self.block(inner, false);
                    }
                    self.block(otherwise, false);
                }
            }
            let alone = does_only_this(node);
            for found in &mut self.found[before..] {
                if alone {
                    found.statement = Some(node.span.clone());
                } else {
                    found.statement = found.statement.take().filter(|_| plain_block(node));
                }
            }
        }
    }

    fn definition(&mut self, definition: &Definition, plain: bool) {
        let name = match (&definition.name, &self.wanted) {
            (Expression::Literal(value), Wanted::Constant(name)) => {
                value.bytes().as_deref() == Some(name)
            }
            (Expression::Variable(variable), Wanted::Variable(name)) => variable == name,
            _ => false,
        };
        if name {
            self.found.push(Found {
                value: definition.span.clone(),
                statement: None,
                plain,
                computed: !matches!(definition.value, Expression::Literal(_)),
            });
        }
        self.expression(&definition.value, plain);
    }

    fn expression(&mut self, expression: &Expression, plain: bool) {
        match expression {
            Expression::Define(definition) | Expression::Assign(_, definition) => {
                self.definition(definition, plain);
            }
            Expression::Defined(one)
            | Expression::ConstantOf(one)
            | Expression::Touch(_, one)
            | Expression::Include(one, _)
            | Expression::Not(one)
            | Expression::Cast(_, one) => self.expression(one, plain),
            Expression::Dirname(one, other) => {
                self.expression(one, plain);
                if let Some(other) = other {
                    self.expression(other, plain);
                }
            }
            Expression::Call(all) | Expression::Unread(all) | Expression::Concat(all) => {
                for one in all {
                    self.expression(one, plain);
                }
            }
            Expression::And(all) | Expression::Or(all) => {
                for one in all {
                    self.expression(one, false);
                }
            }
            Expression::Ternary(one, middle, last) => {
                self.expression(one, plain);
                if let Some(middle) = middle {
                    self.expression(middle, false);
                }
                self.expression(last, false);
            }
            Expression::Coalesce(one, other) => {
                self.expression(one, plain);
                self.expression(other, false);
            }
            Expression::Binary(_, one, other) => {
                self.expression(one, plain);
                self.expression(other, plain);
            }
            Expression::Literal(_)
            | Expression::Constant(_)
            | Expression::Variable(_)
            | Expression::Directory
            | Expression::File
            | Expression::Exit
            | Expression::Opaque(_) => {}
        }
    }
}

/// A bare block, whose statements may go one by one.
fn plain_block(node: &Node) -> bool {
    matches!(node.statement, Statement::Block(_))
}

/// Whether a statement does nothing but define one constant, at most where it is not
/// defined yet.
fn does_only_this(node: &Node) -> bool {
    let defines = |expression: &Expression| matches!(expression, Expression::Define(it) if is_still(&it.value));
    match &node.statement {
        Statement::Expression(Expression::Or(all)) => {
            matches!(all.as_slice(), [Expression::Defined(_), last] if defines(last))
        }
        Statement::Expression(expression) => defines(expression),
        Statement::Constants(all) => all.len() == 1,
        Statement::If { arms, otherwise } => match arms.as_slice() {
            [(Expression::Not(condition), inner)] if otherwise.is_empty() => {
                matches!(**condition, Expression::Defined(_)) && only_defines(inner)
            }
            _ => false,
        },
        _ => false,
    }
}

fn only_defines(block: &Block) -> bool {
    match block.as_slice() {
        [only] => match &only.statement {
            Statement::Block(inner) => only_defines(inner),
            Statement::Expression(Expression::Define(definition)) => is_still(&definition.value),
            _ => false,
        },
        _ => false,
    }
}

/// A value that does nothing itself.
fn is_still(value: &Expression) -> bool {
    match value {
        Expression::Literal(_)
        | Expression::Constant(_)
        | Expression::Variable(_)
        | Expression::Directory
        | Expression::File => true,
        Expression::Concat(all) | Expression::Unread(all) => all.iter().all(is_still),
        Expression::Dirname(one, None) => is_still(one),
        _ => false,
    }
}
