//! See [`crate::fuzzing`].

use super::{fastcgi::Answer, resp::parse};
use std::io;

/// How many bytes the first answer of a Redis server takes; `None` while it is not whole.
pub fn resp(bytes: &[u8]) -> io::Result<Option<usize>> {
    Ok(parse(bytes)?.map(|(_, used)| used))
}

/// The status and body that a FastCGI server answers in these pieces; `None` while
/// it has not ended.
pub fn fastcgi<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> io::Result<Option<(u16, Vec<u8>)>> {
    let mut answer = Answer::default();
    for piece in pieces {
        if answer.ended {
            break;
        }
        answer.feed(piece)?;
    }
    let (status, body) = answer.split();
    Ok(answer.ended.then(|| (status, body.to_vec())))
}
