//! Text replaced in a value as it is stored, lengths put right at every fold.

use super::{
    embedded,
    pairs::{self, Pair, PairError},
    scan::{self, StringSpan},
};
use aho_corasick::{AhoCorasick, MatchKind};

/// How many times a value may be serialized inside itself. Data deeper than that is
/// counted as broken and left alone.
pub const MAX_FOLDS: usize = 64;

/// What happens to strings inside objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Objects {
    /// Values of properties are replaced like elements of arrays. Names of classes
    /// and properties, and everything in `C:` and `E:`, stay.
    #[default]
    Values,
    /// An object keeps every byte.
    Keep,
}

/// How a [`Replacer`] goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Also replace each pair as JSON writes it, e.g. `http:\/\/old`.
    pub json: bool,
    /// Strings inside objects.
    pub objects: Objects,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            json: true,
            objects: Objects::default(),
        }
    }
}

/// What was done in a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Texts replaced.
    pub replaced: u64,
    /// Serialized values, at any fold, that hold a search text and that PHP could not
    /// read. Their bytes stay.
    pub broken: u64,
}

/// A value after the replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The new bytes; `None` when they would be the old ones.
    pub value: Option<Vec<u8>>,
    /// What was done.
    pub tally: Tally,
    /// The one of [`Replacer::forms`] that, replaced everywhere in the value as in plain
    /// text, makes the same bytes; `None` when more than that was done.
    pub only: Option<usize>,
}

/// What is gathered on the way through a value.
#[derive(Debug, Clone, Copy, Default)]
struct Gathered {
    tally: Tally,
    only: Only,
}

/// Which forms were met in plain text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Only {
    #[default]
    None,
    One(usize),
    /// Several, or other places than plain text.
    More,
}

/// Replaces texts in values of any kind.
///
/// What it does is that of this procedure, to the byte, for a value that PHP's
/// `serialize()` wrote: a value without a search text stays. Otherwise its blanks on
/// both ends (PHP's `trim()`) are set apart. If the rest is one serialized value, every
/// string value in it goes through this same procedure, and its length follows.
/// If the rest only begins like one ([`scan::looks_serialized`]), it is broken and
/// stays. Everything else is text, and is replaced as `strtr()` of PHP does: at each
/// place the longest search text counts, and what was put in is not searched
/// again. In text, a string of JSON (`"…"`) that holds serialized data is decoded, goes
/// through this procedure, and is encoded as it was; one that `json_encode()` would
/// not have written so is broken. Keys of arrays, names, numbers and references stay. `serialize()` writes
/// some values in other words (floats, signs, `S:`): those keep their words.
#[derive(Debug, Clone)]
pub struct Replacer {
    automaton: AhoCorasick,
    pairs: Vec<Pair>,
    rules: Rules,
}

impl Replacer {
    /// For these pairs, by the default rules.
    ///
    /// ```
    /// use pressroom_phpdata::serialized::{Pair, Replacer};
    /// let replacer = Replacer::new(&[Pair::new("http://old", "https://newer")])?;
    /// let outcome = replacer.replace(br#"a:1:{i:0;s:12:"http://old/a";}"#);
    /// assert_eq!(outcome.value.unwrap(), br#"a:1:{i:0;s:15:"https://newer/a";}"#);
    /// # Ok::<(), pressroom_phpdata::serialized::PairError>(())
    /// ```
    pub fn new(pairs: &[Pair]) -> Result<Self, PairError> {
        Self::with(pairs, Rules::default())
    }

    /// For these pairs, by these rules.
    pub fn with(pairs: &[Pair], rules: Rules) -> Result<Self, PairError> {
        let pairs = pairs::expand(pairs, rules.json)?;
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(pairs.iter().map(|pair| &pair.old))
            .map_err(|_| PairError::TooMany)?;
        Ok(Self {
            automaton,
            pairs,
            rules,
        })
    }

    /// Every form that is searched, with what replaces it, in byte order.
    pub fn forms(&self) -> &[Pair] {
        &self.pairs
    }

    /// Whether a second run over what a first one made surely finds nothing to do: no
    /// search text can lie in, around or across a text that was put in. `false` for
    /// many pairs, without looking.
    pub fn settles(&self) -> bool {
        const MANY: usize = 200;
        self.pairs.len() <= MANY
            && self
                .pairs
                .iter()
                .filter(|pair| pair.old != pair.new)
                .all(|put| self.pairs.iter().all(|pair| apart(&pair.old, &put.new)))
    }

    /// Whether a search text is anywhere in the value.
    pub fn hits(&self, value: &[u8]) -> bool {
        self.automaton.is_match(value)
    }

    /// The value with every text replaced that may be.
    pub fn replace(&self, value: &[u8]) -> Outcome {
        let mut gathered = Gathered::default();
        let value = self.fold(value, 0, &mut gathered);
        let only = match gathered.only {
            Only::One(form) if value.is_some() => Some(form),
            _ => None,
        };
        Outcome {
            value,
            tally: gathered.tally,
            only,
        }
    }

    fn fold(&self, value: &[u8], folds: usize, gathered: &mut Gathered) -> Option<Vec<u8>> {
        if !self.hits(value) {
            return None;
        }
        let core = scan::trim(value);
        match self.spans(&value[core.clone()]) {
            Some(_) if folds >= MAX_FOLDS => {
                gathered.tally.broken += 1;
                None
            }
            Some(spans) => {
                gathered.only = Only::More;
                let rewritten = self.serialized(&value[core.clone()], &spans, folds, gathered)?;
                let mut out = value[..core.start].to_vec();
                out.extend_from_slice(&rewritten);
                out.extend_from_slice(&value[core.end..]);
                Some(out)
            }
            None if scan::looks_serialized(&value[core]) => {
                gathered.tally.broken += 1;
                None
            }
            None => self.plain(value, folds, gathered),
        }
    }

    /// The strings that may hold something to replace; `None` if the bytes are not one
    /// serialized value.
    fn spans(&self, core: &[u8]) -> Option<Vec<StringSpan>> {
        // What no reader of the format begins with costs nothing more.
        let second = if core.first()? == &b'N' { b';' } else { b':' };
        if core.get(1) != Some(&second) {
            return None;
        }
        let mut spans = Vec::new();
        scan::strings(core, |span| {
            let kept = span.in_object && self.rules.objects == Objects::Keep;
            if !kept && (span.escaped || self.hits(&core[span.text.clone()])) {
                spans.push(span);
            }
        })
        .ok()
        .map(|()| spans)
    }

    fn serialized(
        &self,
        core: &[u8],
        spans: &[StringSpan],
        folds: usize,
        gathered: &mut Gathered,
    ) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut from = 0;
        for span in spans {
            let text = &core[span.text.clone()];
            let text = if span.escaped {
                self.fold(&unescape(text), folds + 1, gathered)
            } else {
                self.fold(text, folds + 1, gathered)
            };
            let Some(text) = text else {
                continue;
            };
            if out.is_empty() {
                out.reserve(core.len() + core.len() / 8);
            }
            out.extend_from_slice(&core[from..span.whole.start]);
            // An `S:` becomes an `s:`, which every PHP reads and which hides nothing.
            out.extend_from_slice(format!("s:{}:\"", text.len()).as_bytes());
            out.extend_from_slice(&text);
            out.extend_from_slice(b"\";");
            from = span.whole.end;
        }
        if from == 0 {
            return None;
        }
        out.extend_from_slice(&core[from..]);
        Some(out)
    }

    fn plain(&self, text: &[u8], folds: usize, gathered: &mut Gathered) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len() + text.len() / 8);
        let mut from = 0;
        for literal in embedded::literals(text) {
            let raw = &text[literal.clone()];
            if !self.hits(raw) {
                continue;
            }
            gathered.only = Only::More;
            self.words(&text[from..literal.start], &mut out, gathered);
            match self.embedded(raw, folds, gathered) {
                Some(new) => out.extend_from_slice(&new),
                None => out.extend_from_slice(raw),
            }
            from = literal.end;
        }
        self.words(&text[from..], &mut out, gathered);
        // Several replacements can add up to what was there.
        (out != text).then_some(out)
    }

    /// Serialized data in a string of JSON: its lengths are those of the decoded text.
    fn embedded(&self, raw: &[u8], folds: usize, gathered: &mut Gathered) -> Option<Vec<u8>> {
        let Some((decoded, style)) = embedded::decode(raw) else {
            gathered.tally.broken += 1;
            return None;
        };
        let mut inside = Gathered::default();
        let new = self.fold(decoded.as_bytes(), folds + 1, &mut inside);
        let new = new.map(|new| String::from_utf8(new).map(|new| style.encode(&new)));
        if let Some(Err(_)) = new {
            gathered.tally.broken += 1;
            return None;
        }
        gathered.tally.replaced += inside.tally.replaced;
        gathered.tally.broken += inside.tally.broken;
        new.and_then(Result::ok)
    }

    fn words(&self, text: &[u8], out: &mut Vec<u8>, gathered: &mut Gathered) {
        let mut from = 0;
        for hit in self.automaton.find_iter(text) {
            let form = hit.pattern().as_usize();
            let pair = &self.pairs[form];
            gathered.only = match gathered.only {
                Only::None if pair.old != pair.new => Only::One(form),
                Only::One(other) if other == form => Only::One(form),
                _ => Only::More,
            };
            gathered.tally.replaced += u64::from(pair.old != pair.new);
            out.extend_from_slice(&text[from..hit.start()]);
            out.extend_from_slice(&pair.new);
            from = hit.end();
        }
        out.extend_from_slice(&text[from..]);
    }
}

/// Whether no occurrence of `old` can share a byte with `new`, whatever is around it.
fn apart(old: &[u8], new: &[u8]) -> bool {
    let within = |small: &[u8], large: &[u8]| {
        small.is_empty() || large.windows(small.len()).any(|part| part == small)
    };
    !within(old, new)
        && !within(new, old)
        && (1..old.len().min(new.len())).all(|shared| {
            !new.ends_with(&old[..shared]) && !new.starts_with(&old[old.len() - shared..])
        })
}

/// The text of an `S:` string that was found valid.
fn unescape(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        letter => (letter | 0x20).wrapping_sub(b'a').wrapping_add(10),
    };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if let (b'\\', [high, low, after @ ..]) = (byte, after) {
            out.push(digit(*high) << 4 | digit(*low));
            rest = after;
        } else {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(text: &[u8]) -> Vec<u8> {
        [format!("s:{}:\"", text.len()).as_bytes(), text, b"\";"].concat()
    }

    #[test]
    fn every_fold_gets_its_length() {
        let replacer = Replacer::new(&[Pair::new("old", "longer")]).unwrap();
        let (mut value, mut wanted) = (b"old".to_vec(), b"longer".to_vec());
        for _ in 0..=MAX_FOLDS {
            let outcome = replacer.replace(&value);
            assert_eq!(outcome.value.as_ref(), Some(&wanted));
            assert_eq!(
                outcome.tally,
                Tally {
                    replaced: 1,
                    broken: 0
                }
            );
            (value, wanted) = (quoted(&value), quoted(&wanted));
        }
        let outcome = replacer.replace(&value);
        assert_eq!((outcome.value, outcome.tally.broken), (None, 1));
    }

    #[test]
    fn objects_may_be_kept_whole() {
        let keep = Rules {
            objects: Objects::Keep,
            ..Rules::default()
        };
        let value = br#"a:2:{i:0;O:1:"A":1:{i:0;a:1:{i:0;s:3:"old";}}i:1;s:3:"old";}"#;
        let pairs = [Pair::new("old", "new")];
        assert_eq!(
            Replacer::with(&pairs, keep)
                .unwrap()
                .replace(value)
                .value
                .unwrap(),
            br#"a:2:{i:0;O:1:"A":1:{i:0;a:1:{i:0;s:3:"old";}}i:1;s:3:"new";}"#
        );
        assert_eq!(
            Replacer::new(&pairs).unwrap().replace(value).tally.replaced,
            2
        );
    }

    #[test]
    fn what_is_no_string_value_keeps_its_bytes() {
        let value = br#"a:5:{s:3:"old";i:+1;i:1;C:3:"old":3:{old}i:2;O:3:"old":1:{s:3:"old";d:0.10;}i:3;E:7:"old:Old";i:4;S:3:"o\6cd";}"#;
        let outcome = Replacer::new(&[Pair::new("old", "longer")])
            .unwrap()
            .replace(value);
        let wanted = br#"a:5:{s:3:"old";i:+1;i:1;C:3:"old":3:{old}i:2;O:3:"old":1:{s:3:"old";d:0.10;}i:3;E:7:"old:Old";i:4;s:6:"longer";}"#;
        assert_eq!(outcome.value.unwrap(), wanted);
        assert_eq!(
            outcome.tally,
            Tally {
                replaced: 1,
                broken: 0
            }
        );
    }

    #[test]
    fn the_longest_search_counts_and_nothing_twice() {
        let pairs = [
            Pair::new("a", "b"),
            Pair::new("b", "a"),
            Pair::new("aa", "aaa"),
        ];
        let outcome = Replacer::new(&pairs).unwrap().replace(b"aab ba");
        assert_eq!(outcome.value.unwrap(), b"aaaa ab");
        assert_eq!(outcome.tally.replaced, 4);
    }

    #[test]
    fn knows_when_twice_is_once() {
        let settles =
            |old: &str, new: &str| Replacer::new(&[Pair::new(old, new)]).unwrap().settles();
        assert!(settles("http://old.test", "https://old.test"));
        assert!(settles("old.test", "new.example"));
        assert!(!settles("old.test", "www.old.test"));
        assert!(!settles("old.test", "old.test/blog"));
        assert!(!settles("abc", ""));
        assert!(!settles("abc", "b"));
        assert!(!settles("abc", "xab"));
        assert!(!settles("abc", "cx"));
    }

    #[test]
    fn serialized_data_in_json_gets_its_lengths() {
        let replacer = Replacer::new(&[Pair::new("http://old", "https://newer")]).unwrap();
        let run = |text: &str| {
            let outcome = replacer.replace(text.as_bytes());
            let value = outcome.value.map(|value| String::from_utf8(value).unwrap());
            (value.unwrap_or_default(), outcome.tally.broken)
        };
        assert_eq!(
            run(r#"{"u":"http:\/\/old","s":"a:1:{i:0;s:12:\"http:\/\/old\/\u00e4\";}"}"#),
            (
                r#"{"u":"https:\/\/newer","s":"a:1:{i:0;s:12:\"http:\/\/old\/\u00e4\";}"}"#.into(),
                1
            )
        );
        assert_eq!(
            run(r#"["http://old","s:13:\"http://old/ä\";"]"#),
            (r#"["https://newer","s:16:\"https://newer/ä\";"]"#.into(), 0)
        );
        assert_eq!(
            run(r#"["a:1:{i:0;s:10:\"http:\/\/old\";}"]"#),
            (r#"["a:1:{i:0;s:13:\"https:\/\/newer\";}"]"#.into(), 0)
        );
    }

    #[test]
    fn useless_pairs_are_refused() {
        let refused = |pairs: &[Pair]| Replacer::new(pairs).unwrap_err();
        assert_eq!(refused(&[]), PairError::None);
        assert_eq!(refused(&[Pair::new("a", "a")]), PairError::None);
        assert_eq!(refused(&[Pair::new("", "a")]), PairError::Empty);
        let two = [Pair::new("a", "b"), Pair::new("a", "c")];
        assert_eq!(refused(&two), PairError::Ambiguous("a".into()));
        let many: Vec<Pair> = (0..=1000).map(|n| Pair::new(format!("{n}"), "")).collect();
        assert_eq!(refused(&many), PairError::TooMany);
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same(value in "(a:[12]:\\{|\\}|i:[01];|s:[0-9]{1,2}:\"old\\.test\";|s:8:\"old\\.test\";| |x){0,12}") {
            let there = Replacer::new(&[Pair::new("old.test", "elsewhere.example")]).unwrap();
            let back = Replacer::new(&[Pair::new("elsewhere.example", "old.test")]).unwrap();
            let first = there.replace(value.as_bytes());
            if let Some(changed) = first.value {
                let second = back.replace(&changed);
                prop_assert_eq!(second.tally.replaced, first.tally.replaced);
                prop_assert_eq!(second.value.unwrap(), value.as_bytes());
            } else {
                prop_assert_eq!(first.tally.replaced, 0);
            }
        }

        #[test]
        fn only_means_everywhere(text in "(ab|b|\\\\?/|s:2:\"|;|\\{|a:1:){0,8}") {
            let replacer = Replacer::new(&[Pair::new("b/", "/xyz"), Pair::new("ab", "c")]).unwrap();
            let outcome = replacer.replace(text.as_bytes());
            if let Some(only) = outcome.only {
                let pair = &replacer.forms()[only];
                let utf8 = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                let everywhere = text.replace(&utf8(&pair.old), &utf8(&pair.new));
                prop_assert_eq!(outcome.value.unwrap(), everywhere.into_bytes());
            }
        }

        #[test]
        fn settled_means_settled(old in "[ab]{1,3}", new in "[abc]{0,3}", text in "[abc]{0,12}") {
            prop_assume!(old != new);
            let replacer = Replacer::new(&[Pair::new(old, new)]).unwrap();
            if let (true, Some(once)) = (replacer.settles(), replacer.replace(text.as_bytes()).value) {
                prop_assert_eq!(replacer.replace(&once).value, None);
            }
        }

        #[test]
        fn never_panics_and_leaves_what_has_no_hit(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let replacer = Replacer::new(&[Pair::new("\u{1}", "/"), Pair::new("s:", "")]).unwrap();
            let outcome = replacer.replace(&value);
            if !replacer.hits(&value) {
                prop_assert_eq!(outcome.value, None);
                prop_assert_eq!(outcome.tally, Tally::default());
            }
        }
    }
}
