//! One condition: a field, an operator, a value.

use super::{
    Expr, Field, SyntaxError, Term,
    closest::closest,
    error::printable,
    field::Named,
    operator::Operator,
    parse::Parser,
    read::Spanned,
    tag::{TAG_RULE, tag_name},
    term::{Age, AgeUnit, Bound, ComponentKind, TextField, VersionField},
    words::{KINDS, STATES},
};

impl Parser {
    /// `all`, or a field, an operator and a value.
    pub(super) fn condition(&mut self) -> Result<Expr, SyntaxError> {
        let name = self
            .read
            .while_(|char| char.is_alphanumeric() || "_-.".contains(char));
        if name.length == 0 {
            return Err(self.nothing());
        }
        let Some(operator) = Operator::read(&mut self.read)? else {
            return self.bare(&name);
        };
        let field = match Field::named(&name.text) {
            Named::Field(field) => field,
            Named::NotYet(why) => return Err(not_yet(&name, why)),
            Named::Unknown(close) => return Err(unknown_field(&name, close)),
        };
        self.term(field, &name, operator)
    }

    /// Where a condition should begin, something else does.
    fn nothing(&self) -> SyntaxError {
        match self.read.peek() {
            None | Some(')') => self
                .read
                .wrong_here("a condition is missing")
                .suggest("write one like `env:production`, or `all` for every site"),
            Some(char) if char.is_whitespace() => self
                .read
                .wrong_here("`-` stands directly before what it negates"),
            Some(char) => self
                .read
                .wrong_here(format!("`{}` begins no condition", printable(char)))
                .suggest("write one like `env:production`"),
        }
    }

    /// A word without an operator.
    fn bare(&mut self, name: &Spanned) -> Result<Expr, SyntaxError> {
        if name.text == "all" && self.read.at_boundary() {
            return Ok(Expr::All);
        }
        let folded = name.text.to_lowercase();
        let plain = format!("`{}` is no condition", name.text);
        let suggestion = match (folded.as_str(), Field::named(&name.text)) {
            ("or" | "and", _) => format!(
                "write `{}` in capitals, with blanks around it, between two conditions",
                folded.to_uppercase()
            ),
            ("not", _) => "write `-` directly before what is negated".to_owned(),
            ("all", _) => "write `all` in small letters".to_owned(),
            (_, Named::Field(field)) => {
                format!("write it like `{}`, without blanks", field.example())
            }
            (_, Named::NotYet(why)) => return Err(not_yet(name, why)),
            (_, Named::Unknown(_)) => {
                "write a field before it, like `plugin:` or `site:`".to_owned()
            }
        };
        Err(name.wrong(plain).suggest(suggestion))
    }

    fn term(
        &mut self,
        field: Field,
        name: &Spanned,
        operator: Operator,
    ) -> Result<Expr, SyntaxError> {
        match field {
            Field::Text(text) => {
                let negated = operator.equality(field)?;
                let value = self.last_value()?;
                if text == TextField::Tag && tag_name(&value.text).is_none() {
                    return Err(value.wrong(format!("no tag can be called so: {TAG_RULE}")));
                }
                let value = value.text;
                self.maybe_negated(negated, Term::Text { field: text, value }, name)
            }
            Field::Env => {
                let negated = operator.equality(field)?;
                let kind = one_of(&self.last_value()?, &KINDS)?;
                self.maybe_negated(negated, Term::Kind(kind), name)
            }
            Field::Status => {
                let negated = operator.equality(field)?;
                let state = one_of(&self.last_value()?, &STATES)?;
                self.maybe_negated(negated, Term::Status(state), name)
            }
            Field::Version(of) => self.version_term(of, operator),
            Field::Component(kind) => self.component(kind, field, operator),
            Field::Updates => {
                let comparison = operator.sign();
                let value = self.last_value()?;
                let count = number(&value.text).ok_or_else(|| {
                    value.wrong(format!("a number from 0 to {} belongs here", u32::MAX))
                })?;
                Ok(Expr::Term(Term::Updates { comparison, count }))
            }
            Field::Snapshot => {
                let comparison = operator.order()?;
                let age = age(&self.last_value()?)?;
                Ok(Expr::Term(Term::Snapshot { comparison, age }))
            }
        }
    }

    /// `!=` is printed as `-`, so it counts as one.
    fn maybe_negated(
        &mut self,
        negated: bool,
        term: Term,
        name: &Spanned,
    ) -> Result<Expr, SyntaxError> {
        if !negated {
            return Ok(Expr::Term(term));
        }
        self.guard_depth(name)?;
        Ok(Expr::Term(term).negated())
    }

    fn version_term(
        &mut self,
        field: VersionField,
        operator: Operator,
    ) -> Result<Expr, SyntaxError> {
        let version = version(self.last_value()?)?;
        Ok(Expr::Term(match operator {
            Operator::Is { .. } => Term::Series { field, version },
            Operator::Compare { sign, .. } => Term::Version {
                field,
                bound: Bound {
                    comparison: sign,
                    version,
                },
            },
        }))
    }

    fn component(
        &mut self,
        kind: ComponentKind,
        field: Field,
        operator: Operator,
    ) -> Result<Expr, SyntaxError> {
        let Operator::Is { .. } = operator else {
            let message = format!("`{}` needs a name before its version", field.name());
            return Err(SyntaxError::new(operator.at(), operator.length(), message)
                .suggest(format!("write it like `{}`", field.example())));
        };
        let slug = self.read.value()?;
        if let Some((name, version)) = slug.text.split_once(':') {
            return Err(slug
                .wrong("`:` cannot stand in a component's name")
                .suggest(format!("write `{name}={version}` for one version")));
        }
        let bound = match Operator::read(&mut self.read)? {
            None => None,
            Some(Operator::Compare { sign, .. }) => Some(Bound {
                comparison: sign,
                version: version(self.last_value()?)?,
            }),
            Some(Operator::Is { at }) => {
                return Err(SyntaxError::new(at, 1, "`:` stands once in a condition")
                    .suggest("write `=` before a version"));
            }
        };
        Ok(Expr::Term(Term::Component {
            kind,
            slug: slug.text,
            bound,
        }))
    }

    /// A value after which the condition ends.
    fn last_value(&mut self) -> Result<Spanned, SyntaxError> {
        let value = self.read.value()?;
        if self.read.at_boundary() {
            return Ok(value);
        }
        Err(self
            .read
            .wrong_here("a blank is missing after this condition"))
    }
}

fn not_yet(name: &Spanned, why: &str) -> SyntaxError {
    name.wrong(format!("`{}` cannot be asked for yet: {why}", name.text))
}

fn unknown_field(name: &Spanned, close: Option<&'static str>) -> SyntaxError {
    name.wrong(format!("there is no field `{}`", name.text))
        .suggest(choice(close, Field::all().map(Field::name)))
}

fn one_of<T: Copy>(value: &Spanned, words: &[(&'static str, T)]) -> Result<T, SyntaxError> {
    let folded = value.text.to_lowercase();
    if let Some((_, found)) = words.iter().find(|(word, _)| *word == folded) {
        return Ok(*found);
    }
    let names = words.iter().map(|(word, _)| *word);
    let close = closest(&folded, names.clone());
    Err(value
        .wrong("there is no such value")
        .suggest(choice(close, names)))
}

/// What was meant, if that is plain, or all there is to choose from.
fn choice(close: Option<&str>, names: impl Iterator<Item = &'static str>) -> String {
    close.map_or_else(
        || format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        |close| format!("did you mean `{close}`?"),
    )
}

fn version(value: Spanned) -> Result<String, SyntaxError> {
    if value.text.starts_with(|char: char| char.is_ascii_digit()) {
        return Ok(value.text);
    }
    Err(value
        .wrong("a version begins with a digit")
        .suggest("write it like `8.1` or `6.5-RC3`"))
}

/// Digits alone: Rust's own parser takes a sign too.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn age(value: &Spanned) -> Result<Age, SyntaxError> {
    let read = |unit: AgeUnit| {
        let count = number(value.text.strip_suffix(unit.as_char())?)?;
        Some(Age { count, unit })
    };
    AgeUnit::ALL.into_iter().find_map(read).ok_or_else(|| {
        value
            .wrong("an age belongs here")
            .suggest("write minutes, hours or days like `30m`, `24h` or `7d`")
    })
}
