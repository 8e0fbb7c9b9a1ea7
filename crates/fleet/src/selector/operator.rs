//! What stands between a field and its value.

use super::{Comparison, Field, SyntaxError, read::Reader};

/// An operator and where it was written.
#[derive(Clone, Copy)]
pub(super) enum Operator {
    Is { at: usize },
    Compare { sign: Comparison, at: usize },
}

impl Operator {
    /// The operator that comes next, if one does.
    pub(super) fn read(from: &mut Reader) -> Result<Option<Self>, SyntaxError> {
        let at = from.offset();
        // The longer ones first; some are slips of other languages.
        for (slip, right) in [
            ("==", "="),
            ("=<", "<="),
            ("=>", ">="),
            ("<>", "!="),
            ("~=", "="),
        ] {
            if from.take(slip) {
                let message = format!("there is no operator `{slip}`");
                return Err(SyntaxError::new(at, 2, message).suggest(format!("write `{right}`")));
            }
        }
        if from.take(":") {
            return Ok(Some(Self::Is { at }));
        }
        for sign in [
            Comparison::AtMost,
            Comparison::AtLeast,
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::More,
            Comparison::Equal,
        ] {
            if from.take(sign.as_str()) {
                return Ok(Some(Self::Compare { sign, at }));
            }
        }
        Ok(None)
    }

    pub(super) const fn at(self) -> usize {
        match self {
            Self::Is { at } | Self::Compare { at, .. } => at,
        }
    }

    pub(super) const fn length(self) -> usize {
        match self {
            Self::Is { .. } => 1,
            Self::Compare { sign, .. } => sign.as_str().len(),
        }
    }

    /// For numbers `:` means `=`.
    pub(super) const fn sign(self) -> Comparison {
        match self {
            Self::Is { .. } => Comparison::Equal,
            Self::Compare { sign, .. } => sign,
        }
    }

    /// Whether it denies; words have no order.
    pub(super) fn equality(self, field: Field) -> Result<bool, SyntaxError> {
        match self.sign() {
            Comparison::Equal => Ok(false),
            Comparison::NotEqual => Ok(true),
            sign => {
                let message = format!("`{}` has no order for `{}`", field.name(), sign.as_str());
                Err(SyntaxError::new(self.at(), self.length(), message)
                    .suggest("write `:`, or `!=` for all others"))
            }
        }
    }

    /// Nothing is exactly a day old.
    pub(super) fn order(self) -> Result<Comparison, SyntaxError> {
        match self.sign() {
            Comparison::Equal | Comparison::NotEqual => Err(SyntaxError::new(
                self.at(),
                self.length(),
                "an age is only older or younger than another",
            )
            .suggest("write `snapshot>24h` or `snapshot<24h`")),
            sign => Ok(sign),
        }
    }
}
