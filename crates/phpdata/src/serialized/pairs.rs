//! What is searched and what stands for it, in every form it is written in.

use std::collections::BTreeMap;

/// More searches than anybody has; a bound on what an automaton may weigh.
pub const MAX_PAIRS: usize = 1000;

/// One text and what is put in its place. Bytes are compared, so that case counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What is searched; not empty.
    pub old: Vec<u8>,
    /// What replaces it.
    pub new: Vec<u8>,
}

impl Pair {
    /// From any two texts.
    pub fn new(old: impl Into<Vec<u8>>, new: impl Into<Vec<u8>>) -> Self {
        Self {
            old: old.into(),
            new: new.into(),
        }
    }
}

/// Why pairs cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// Nothing to search.
    #[error("there is nothing to search for")]
    None,
    /// An empty text is everywhere.
    #[error("a search text is empty")]
    Empty,
    /// The same text cannot become two.
    #[error("`{0}` is to be replaced by two different texts")]
    Ambiguous(String),
    /// More than [`MAX_PAIRS`], or texts of many megabytes.
    #[error("too many or too long search texts")]
    TooMany,
}

/// How JSON writes a text inside its quotes, where that differs from the text: with
/// slashes escaped, with letters beyond ASCII escaped, with both, with neither.
/// `json_encode()` does both unless told otherwise. Text that is not UTF-8 has no
/// such form.
pub fn json_forms(pair: &Pair) -> Vec<Pair> {
    let (Ok(old), Ok(new)) = (
        std::str::from_utf8(&pair.old),
        std::str::from_utf8(&pair.new),
    ) else {
        return Vec::new();
    };
    let mut forms: Vec<Pair> = Vec::new();
    for (slashes, letters) in [(true, true), (true, false), (false, true), (false, false)] {
        let form = Pair {
            old: json_text(old, slashes, letters),
            new: json_text(new, slashes, letters),
        };
        if form.old != pair.old && forms.iter().all(|other| other.old != form.old) {
            forms.push(form);
        }
    }
    forms
}

/// A text as JSON writes it between quotes.
pub(super) fn json_text(text: &str, slashes: bool, letters: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '/' if slashes => out.extend_from_slice(b"\\/"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            letter if u32::from(letter) < 0x20 || (letters && !letter.is_ascii()) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
            letter => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// All forms to search, each once; what the caller said goes before what follows
/// from it.
pub(super) fn expand(pairs: &[Pair], json: bool) -> Result<Vec<Pair>, PairError> {
    const MAX_BYTES: usize = 4 * 1024 * 1024;
    let weight: usize = pairs
        .iter()
        .map(|pair| pair.old.len() + pair.new.len())
        .sum();
    if pairs.len() > MAX_PAIRS || weight > MAX_BYTES {
        return Err(PairError::TooMany);
    }
    let mut forms: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for pair in pairs {
        if pair.old.is_empty() {
            return Err(PairError::Empty);
        }
        if let Some(other) = forms.insert(pair.old.clone(), pair.new.clone())
            && other != pair.new
        {
            let old = String::from_utf8_lossy(&pair.old).into_owned();
            return Err(PairError::Ambiguous(old));
        }
    }
    if json {
        for form in pairs.iter().flat_map(json_forms) {
            forms.entry(form.old).or_insert(form.new);
        }
    }
    // A text that becomes itself protects what is longer than another search.
    if forms.iter().all(|(old, new)| old == new) {
        return Err(PairError::None);
    }
    Ok(forms
        .into_iter()
        .map(|(old, new)| Pair { old, new })
        .collect())
}
