//! Blocks between marks: `/* BEGIN Pressroom NAME */` and `/* END Pressroom NAME */`.

use super::{Editor, Refusal};
use crate::tokens::{Token, lex};
use std::{collections::BTreeSet, ops::Range};

impl Editor<'_> {
    /// The file with the block, and the constants that may change with it.
    pub(super) fn block(
        &self,
        name: &str,
        code: &str,
    ) -> Result<(Vec<u8>, BTreeSet<String>), Refusal> {
        let (begin, end) = marks(name)?;
        let code = code.trim_matches(['\n', '\r']);
        if !is_whole(code) {
            return Err(Refusal::Code(name.to_owned()));
        }
        let newline = self.newline();
        let mut text = begin.clone();
        for line in code.lines() {
            text.extend_from_slice(newline);
            text.extend_from_slice(line.as_bytes());
        }
        text.extend_from_slice(newline);
        text.extend_from_slice(&end);
        let mut touched = defined(code.as_bytes());
        let after = match self.marked(name, &begin, &end)? {
            Some(span) => {
                touched.extend(defined(&self.file[span.clone()]));
                self.replaced(&span, &text)
            }
            None => self.insert(&text)?,
        };
        Ok((after, touched))
    }

    /// The file without the block.
    pub(super) fn remove_block(&self, name: &str) -> Result<(Vec<u8>, BTreeSet<String>), Refusal> {
        let (begin, end) = marks(name)?;
        Ok(match self.marked(name, &begin, &end)? {
            Some(span) => {
                let touched = defined(&self.file[span.clone()]);
                (self.replaced(&self.line_of(&span), b""), touched)
            }
            None => (self.file.to_vec(), BTreeSet::new()),
        })
    }

    /// From the mark that begins the block to the one that ends it.
    fn marked(
        &self,
        name: &str,
        begin: &[u8],
        end: &[u8],
    ) -> Result<Option<Range<usize>>, Refusal> {
        let of = |mark: &[u8]| -> Vec<Range<usize>> {
            let comments = self.syntax.lexed.comments.iter();
            comments
                .filter(|span| self.file[span.start..span.end] == *mark)
                .cloned()
                .collect()
        };
        match (of(begin).as_slice(), of(end).as_slice()) {
            ([], []) => Ok(None),
            ([from], [to]) if from.end <= to.start => Ok(Some(from.start..to.end)),
            _ => Err(Refusal::Marks(name.to_owned())),
        }
    }
}

fn marks(name: &str) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    let valid = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_'));
    if name.trim().is_empty() || name.trim() != name || name.len() > 64 || !valid {
        return Err(Refusal::Name(name.to_owned()));
    }
    Ok((
        format!("/* BEGIN Pressroom {name} */").into_bytes(),
        format!("/* END Pressroom {name} */").into_bytes(),
    ))
}

/// Whether code leaves no string, comment, bracket or statement open, does not leave
/// PHP, and holds no marks of its own.
fn is_whole(code: &str) -> bool {
    const SENTINEL: &str = "PRESSROOM_END";
    if code.contains(" Pressroom ") && (code.contains("BEGIN ") || code.contains("END ")) {
        return false;
    }
    let file = format!("<?php\n{code}\n{SENTINEL}");
    let tokens = lex(file.as_bytes()).tokens;
    let Some((last, rest)) = tokens.split_last() else {
        return false;
    };
    let mut open = Vec::new();
    for lexeme in rest {
        match lexeme.token {
            Token::Output => return false,
            Token::Sign(sign @ (b'(' | b'[' | b'{')) => open.push(sign),
            Token::Sign(sign @ (b')' | b']' | b'}')) => {
                let opener = match sign {
                    b')' => b'(',
                    b']' => b'[',
                    _ => b'{',
                };
                if open.pop() != Some(opener) {
                    return false;
                }
            }
            _ => {}
        }
    }
    let ended = rest
        .last()
        .is_none_or(|it| matches!(it.token, Token::Sign(b';' | b'}')));
    let reached = last.span == (file.len() - SENTINEL.len()..file.len());
    open.is_empty() && ended && reached && last.token == Token::Name(SENTINEL.into())
}

/// The constants that a piece of code mentions defining.
fn defined(code: &[u8]) -> BTreeSet<String> {
    let mut file = b"<?php ".to_vec();
    file.extend_from_slice(code);
    let tokens = lex(&file).tokens;
    tokens
        .windows(3)
        .filter_map(
            |three| match (&three[0].token, &three[1].token, &three[2].token) {
                (Token::Name(word), Token::Sign(b'('), Token::Text(Some(name)))
                    if word.eq_ignore_ascii_case(b"define") =>
                {
                    String::from_utf8(name.clone()).ok()
                }
                (Token::Name(word), Token::Name(name), Token::Sign(b'='))
                    if word.eq_ignore_ascii_case(b"const") =>
                {
                    String::from_utf8(name.clone()).ok()
                }
                _ => None,
            },
        )
        .collect()
}
