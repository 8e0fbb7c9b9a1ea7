//! A selector in its one written form, never longer than what it was read from.

use super::{
    Expr, Selector, Term,
    read::is_bare,
    term::{Age, Bound},
    words::{KINDS, STATES, word},
};
use std::fmt::{self, Display, Formatter, Write as _};

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expr().fmt(f)
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Term(term) => term.fmt(f),
            Self::Not(inner) => match inner.as_ref() {
                joined @ (Self::And(_) | Self::Or(_)) => write!(f, "-({joined})"),
                single => write!(f, "-{single}"),
            },
            Self::And(parts) => separated(f, parts, " ", |f, part| match part {
                Self::Or(_) => write!(f, "({part})"),
                _ => part.fmt(f),
            }),
            Self::Or(parts) => separated(f, parts, " OR ", |f, part| part.fmt(f)),
        }
    }
}

fn separated(
    f: &mut Formatter<'_>,
    parts: &[Expr],
    between: &str,
    print: impl Fn(&mut Formatter<'_>, &Expr) -> fmt::Result,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        print(f, part)?;
    }
    Ok(())
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.field().name())?;
        match self {
            Self::Text { value, .. } => write!(f, ":{}", Value(value)),
            Self::Kind(kind) => write!(f, ":{}", word(&KINDS, *kind).unwrap_or_default()),
            Self::Status(state) => write!(f, ":{}", word(&STATES, *state).unwrap_or_default()),
            Self::Series { version, .. } => write!(f, ":{}", Value(version)),
            Self::Version { bound, .. } => bound.fmt(f),
            Self::Component { slug, bound, .. } => {
                write!(f, ":{}", Value(slug))?;
                bound.as_ref().map_or(Ok(()), |bound| bound.fmt(f))
            }
            Self::Updates { comparison, count } => write!(f, "{}{count}", comparison.as_str()),
            Self::Snapshot { comparison, age } => write!(f, "{}{age}", comparison.as_str()),
        }
    }
}

impl Display for Bound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.comparison.as_str(), Value(&self.version))
    }
}

impl Display for Age {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.as_char())
    }
}

/// A value, in quotes where it needs them.
struct Value<'a>(&'a str);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(is_bare) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for char in self.0.chars() {
            if matches!(char, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(char)?;
        }
        f.write_char('"')
    }
}
