//! Texts that many environments share, kept once.

use std::{collections::HashMap, num::NonZeroU32, sync::Arc};

/// Stands for a text, and means something to its interner alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Text(NonZeroU32);

impl Text {
    /// From 0, without large gaps.
    pub(super) const fn number(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Texts, each with what was read from it, for as long as somebody holds them: what
/// sites tell is theirs to choose, and must not pile up.
#[derive(Debug)]
pub(super) struct Interner<T> {
    known: HashMap<Arc<str>, Text>,
    kept: Vec<Option<Kept<T>>>,
    free: Vec<Text>,
}

#[derive(Debug)]
struct Kept<T> {
    text: Arc<str>,
    read: T,
    holders: usize,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            kept: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Interner<T> {
    /// Holds a text; every hold is let go of once.
    pub(super) fn hold(&mut self, text: &str, read: impl FnOnce(&str) -> T) -> Text {
        if let Some(found) = self.known.get(text).copied() {
            if let Some(Some(kept)) = self.kept.get_mut(found.number()) {
                kept.holders += 1;
            }
            return found;
        }
        let shared: Arc<str> = text.into();
        let kept = Some(Kept {
            text: Arc::clone(&shared),
            read: read(text),
            holders: 1,
        });
        let id = if let Some(free) = self.free.pop() {
            self.kept[free.number()] = kept;
            free
        } else {
            self.kept.push(kept);
            let next = u32::try_from(self.kept.len())
                .ok()
                .and_then(NonZeroU32::new);
            Text(next.expect("there are not so many texts in the memory of one machine"))
        };
        self.known.insert(shared, id);
        id
    }

    pub(super) fn let_go(&mut self, id: Text) {
        let Some(slot) = self.kept.get_mut(id.number()) else {
            return;
        };
        let Some(kept) = slot else {
            return;
        };
        kept.holders -= 1;
        if kept.holders == 0 {
            self.known.remove(&kept.text);
            *slot = None;
            self.free.push(id);
        }
    }

    /// A text that somebody holds.
    pub(super) fn find(&self, text: &str) -> Option<Text> {
        self.known.get(text).copied()
    }

    pub(super) fn get(&self, id: Text) -> Option<(&str, &T)> {
        let kept = self.kept.get(id.number())?.as_ref()?;
        Some((&kept.text, &kept.read))
    }

    /// One more than the highest number.
    pub(super) fn end(&self) -> usize {
        self.kept.len()
    }

    /// How many texts are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        let each = size_of::<(Arc<str>, Text)>() + 1;
        let texts: usize = self.known.keys().map(|text| text.len() + 16).sum();
        self.known.capacity() * each + self.kept.capacity() * size_of::<Option<Kept<T>>>() + texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_forgotten_and_its_number_used_again() {
        let mut texts = Interner::default();
        let length = |text: &str| text.len();
        let one = texts.hold("one", length);
        assert_eq!(texts.hold("one", |_| panic!("it was read before")), one);
        let three = texts.hold("three", length);
        assert_eq!(texts.get(three), Some(("three", &5)));
        texts.let_go(one);
        assert_eq!(texts.find("one"), Some(one));
        texts.let_go(one);
        assert_eq!((texts.find("one"), texts.get(one)), (None, None));
        assert_eq!(texts.hold("two", length), one);
        assert_eq!((texts.len(), texts.end()), (2, 2));
    }
}
