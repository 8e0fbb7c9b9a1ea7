//! A selector as a tree.

use super::{Term, TextField, facts::fold};

/// What was asked for, read and understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector(Expr);

impl Selector {
    /// Every environment there is.
    pub const ALL: Self = Self(Expr::All);

    /// Takes a tree that was built and not read. Its printed form is read back only
    /// within the bounds of [`super::MAX_BYTES`] and [`super::MAX_DEPTH`].
    pub const fn new(expr: Expr) -> Self {
        Self(expr)
    }

    /// The tree.
    pub const fn expr(&self) -> &Expr {
        &self.0
    }

    /// Whether any of its conditions is such a one.
    pub(crate) fn asks(&self, such: impl Fn(&Term) -> bool) -> bool {
        let mut asks = false;
        self.0.each(&mut |term| asks |= such(term));
        asks
    }

    /// How many conditions it has.
    pub(crate) fn terms(&self) -> usize {
        let mut count = 0;
        self.0.each(&mut |_| count += 1);
        count
    }

    /// The tags that it asks for, folded, each once.
    pub(crate) fn tags(&self) -> Vec<String> {
        let mut tags = Vec::new();
        self.0.each(&mut |term| {
            if let Term::Text {
                field: TextField::Tag,
                value,
            } = term
            {
                tags.push(fold(value));
            }
        });
        tags.sort_unstable();
        tags.dedup();
        tags
    }
}

/// A part of a selector. [`Expr::and`], [`Expr::or`] keep it in its one form: no
/// conjunction directly in a conjunction, none of fewer than two, and the same for `OR`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// `all`.
    All,
    /// One condition.
    Term(Term),
    /// `-…`.
    Not(Box<Expr>),
    /// Side by side.
    And(Vec<Expr>),
    /// With `OR` between.
    Or(Vec<Expr>),
}

impl Expr {
    /// What all of these hold for; everything, for none.
    pub fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::And(inner) => inner,
            other => vec![other],
        });
        single(flat.collect()).unwrap_or_else(|many| match many.as_slice() {
            [] => Self::All,
            _ => Self::And(many),
        })
    }

    /// What any of these holds for; nothing, for none.
    pub fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Or(inner) => inner,
            other => vec![other],
        });
        single(flat.collect()).unwrap_or_else(|many| match many.as_slice() {
            [] => Self::All.negated(),
            _ => Self::Or(many),
        })
    }

    /// What this does not hold for.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    fn each(&self, see: &mut impl FnMut(&Term)) {
        match self {
            Self::All => {}
            Self::Term(term) => see(term),
            Self::Not(inner) => inner.each(see),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each(see)),
        }
    }
}

/// The only one of a list, or the list.
fn single(list: Vec<Expr>) -> Result<Expr, Vec<Expr>> {
    list.try_into().map(|[only]: [Expr; 1]| only)
}
