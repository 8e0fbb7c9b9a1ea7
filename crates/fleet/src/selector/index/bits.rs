//! Sets of places in the index, and how sure one is of each.

use super::super::Truth;

const BITS: usize = u64::BITS as usize;

/// For each place, whether something holds there: surely, perhaps or not.
#[derive(Debug, Clone)]
pub(super) struct Truths {
    /// Where it surely holds.
    yes: Vec<u64>,
    /// Where it does not surely not hold: all of `yes`, and the unknown.
    maybe: Vec<u64>,
}

impl Truths {
    /// The same everywhere.
    pub(super) fn all(truth: Truth, places: usize) -> Self {
        let words = places.div_ceil(BITS);
        let fill = |set: bool| vec![if set { u64::MAX } else { 0 }; words];
        Self {
            yes: fill(truth == Truth::Yes),
            maybe: fill(truth != Truth::No),
        }
    }

    /// What each place says.
    pub(super) fn of(each: impl ExactSizeIterator<Item = Truth>) -> Self {
        let mut all = Self::all(Truth::No, each.len());
        for (place, truth) in each.enumerate() {
            all.raise(place, truth);
        }
        all
    }

    /// Makes a place surer, never less so: of several any is enough.
    pub(super) fn raise(&mut self, place: usize, truth: Truth) {
        let bit = 1 << (place % BITS);
        if truth == Truth::Yes
            && let Some(word) = self.yes.get_mut(place / BITS)
        {
            *word |= bit;
        }
        if truth != Truth::No
            && let Some(word) = self.maybe.get_mut(place / BITS)
        {
            *word |= bit;
        }
    }

    pub(super) fn at(&self, place: usize) -> Truth {
        let has = |words: &[u64]| {
            let word = words.get(place / BITS).copied().unwrap_or_default();
            (word >> (place % BITS)) & 1 == 1
        };
        match (has(&self.yes), has(&self.maybe)) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::No,
        }
    }

    /// Whether it holds nowhere, not even perhaps.
    pub(super) fn is_nowhere(&self) -> bool {
        self.maybe.iter().all(|word| *word == 0)
    }

    pub(super) fn negated(self) -> Self {
        let flip = |words: Vec<u64>| words.into_iter().map(|word| !word).collect();
        Self {
            yes: flip(self.maybe),
            maybe: flip(self.yes),
        }
    }

    pub(super) fn and(&mut self, other: &Self) {
        each(&mut self.yes, &other.yes, |a, b| a & b);
        each(&mut self.maybe, &other.maybe, |a, b| a & b);
    }

    pub(super) fn or(&mut self, other: &Self) {
        each(&mut self.yes, &other.yes, |a, b| a | b);
        each(&mut self.maybe, &other.maybe, |a, b| a | b);
    }
}

fn each(left: &mut [u64], right: &[u64], join: impl Fn(u64, u64) -> u64) {
    for (left, right) in left.iter_mut().zip(right) {
        *left = join(*left, *right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_join_as_single_truths_do() {
        const EACH: [Truth; 3] = [Truth::No, Truth::Unknown, Truth::Yes];
        let left = Truths::of((0..90).map(|at| EACH[at / 3 % 3]));
        let right = Truths::of((0..90).map(|at| EACH[at % 3]));
        let (mut both, mut any) = (left.clone(), left.clone());
        both.and(&right);
        any.or(&right);
        let none = any.clone().negated();
        let rank = |truth: Truth| EACH.iter().position(|each| *each == truth);
        for at in 0..90 {
            let (a, b) = (rank(left.at(at)), rank(right.at(at)));
            assert_eq!(rank(both.at(at)), a.min(b), "{at}");
            assert_eq!(rank(any.at(at)), a.max(b), "{at}");
            let both = rank(any.at(at)).zip(rank(none.at(at)));
            assert_eq!(both.map(|(any, none)| any + none), Some(2), "{at}");
        }
        assert!(Truths::all(Truth::No, 90).is_nowhere());
        assert!(!Truths::all(Truth::Unknown, 90).is_nowhere());
    }
}
