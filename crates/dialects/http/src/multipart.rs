//! Forms with a file in them (RFC 7578), read as they come: nothing is held but the
//! headers of a part, which are short. (The usual crate, `multer`, holds those however long
//! they are.)

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use memchr::memmem;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest that a boundary may be.
const BOUNDARY: usize = 70;
/// The longest that the headers of a part may be.
const HEADERS: usize = 16 * 1024;
/// Read at a time.
const PIECE: usize = 64 * 1024;

/// What the parts of a form end with, by its media type.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let parameter = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then_some(value)
    })?;
    let value = parameter.trim().trim_matches('"');
    let fits = (1..=BOUNDARY).contains(&value.len()) && value.is_ascii();
    fits.then(|| value.to_owned())
}

/// Where in the form one is.
enum At {
    /// Before the first part, or in one that is passed over.
    Passing,
    /// In the file.
    File,
    /// Behind it.
    Behind,
}

struct Form<R> {
    input: R,
    /// Bytes that were read and not judged yet.
    buffer: BytesMut,
    /// Line end, two dashes, boundary.
    end: Vec<u8>,
    field: &'static str,
    at: At,
}

/// The content of the first part that is called `field`. A form without one, or that ends
/// before that part does, ends with an error.
pub(crate) fn file<R: AsyncRead + Unpin + Send + 'static>(
    input: R,
    boundary: &str,
    field: &'static str,
) -> impl Stream<Item = io::Result<Bytes>> + Send + use<R> {
    let form = Form {
        input,
        // The first boundary may stand at the very beginning.
        buffer: BytesMut::from(&b"\r\n"[..]),
        end: format!("\r\n--{boundary}").into_bytes(),
        field,
        at: At::Passing,
    };
    stream::try_unfold(form, |mut form| async {
        let piece = form.next().await?;
        Ok(piece.map(|piece| (piece, form)))
    })
}

impl<R: AsyncRead + Unpin> Form<R> {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while matches!(self.at, At::Passing) {
            while self.content().await?.is_some() {}
            self.at = if self.is_wanted().await? {
                At::File
            } else {
                At::Passing
            };
        }
        if matches!(self.at, At::Behind) {
            return Ok(None);
        }
        let piece = self.content().await?;
        if piece.is_none() {
            self.at = At::Behind;
            // The rest is read as well, so that a connection that broke there is noticed.
            let mut rest = vec![0; PIECE];
            while self.input.read(&mut rest).await? > 0 {}
        }
        Ok(piece)
    }

    /// More of what stands before the next boundary; `None` at the boundary, which is
    /// taken away.
    async fn content(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(at) = memmem::find(&self.buffer, &self.end) {
                let before = self.buffer.split_to(at).freeze();
                if !before.is_empty() {
                    return Ok(Some(before));
                }
                let _ = self.buffer.split_to(self.end.len());
                return Ok(None);
            }
            let sure = self.buffer.len().saturating_sub(self.end.len());
            if sure > 0 {
                return Ok(Some(self.buffer.split_to(sure).freeze()));
            }
            self.more().await?;
        }
    }

    /// Reads the headers behind a boundary: whether the part is the wanted one.
    async fn is_wanted(&mut self) -> io::Result<bool> {
        loop {
            if self.buffer.starts_with(b"--") {
                let text = format!("the form has no file `{}`", self.field);
                return Err(invalid(&text));
            }
            // Headers begin behind the boundary's line end, and end with an empty line.
            if let Some(at) = memmem::find(&self.buffer, b"\r\n\r\n") {
                let headers = self.buffer.split_to(at + 2);
                let _ = self.buffer.split_to(2);
                return Ok(is_named(&headers, self.field));
            }
            if self.buffer.len() > HEADERS {
                return Err(invalid("the headers of a part of the form are too long"));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        self.buffer.reserve(PIECE);
        if self.input.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the form ends before its file does",
            ));
        }
        Ok(())
    }
}

fn is_named(headers: &[u8], field: &str) -> bool {
    let headers = String::from_utf8_lossy(headers);
    headers.lines().any(|line| {
        let Some((name, value)) = line.split_once(':') else {
            return false;
        };
        name.trim().eq_ignore_ascii_case("content-disposition")
            && value.split(';').skip(1).any(|parameter| {
                parameter.split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("name")
                        && value.trim().trim_matches('"') == field
                })
            })
    })
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt as _;

    /// Gives what it has in small pieces.
    async fn read(form: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let pieces: Vec<io::Result<Bytes>> = form
            .chunks(piece)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let input = crate::incoming::Pieces::new(stream::iter(pieces));
        let file = file(input, "xyz", "file");
        let pieces: Vec<Bytes> = file.try_collect().await?;
        Ok(pieces.concat())
    }

    fn form(content: &[u8]) -> Vec<u8> {
        let mut form = b"--xyz\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\nfile\r\n\
            --xyz\r\nContent-Type: application/gzip\r\ncontent-disposition: form-data; \
            filename=\"a.gz\"; name=\"file\"\r\n\r\n"
            .to_vec();
        form.extend(content);
        form.extend(b"\r\n--xyz--\r\n");
        form
    }

    #[tokio::test]
    async fn a_file_is_what_stands_between_its_boundaries() {
        let tricky = b"\r\n--xy\r\n--xz\r\n\r\n--x".repeat(50);
        let long = vec![0; 200_000];
        for content in [&b"hello"[..], b"", b"\r\n", &tricky, &long] {
            for piece in [1, 3, 7, 100_000] {
                if content.len() > 10_000 && piece < 100 {
                    continue;
                }
                let got = read(&form(content), piece).await.expect("a file");
                assert!(got == content, "{} bytes by {piece}", content.len());
            }
        }
    }

    #[tokio::test]
    async fn what_is_cut_or_has_no_file_is_an_error() {
        let whole = form(b"hello");
        for cut in 0..whole.len() - 10 {
            assert!(read(&whole[..cut], 64).await.is_err(), "cut at {cut}");
        }
        let none = b"--xyz\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--xyz--";
        assert!(read(none, 64).await.is_err());
        let mut long = b"--xyz\r\nX: ".to_vec();
        long.extend(vec![b'a'; HEADERS * 3]);
        assert!(read(&long, 4096).await.is_err());
    }

    #[test]
    fn boundaries_are_read_as_they_are_written() {
        for (kind, read) in [
            ("multipart/form-data; boundary=xyz", Some("xyz")),
            (
                "multipart/form-data; charset=x; BOUNDARY=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
        ] {
            assert_eq!(boundary(kind).as_deref(), read, "{kind}");
        }
    }
}
