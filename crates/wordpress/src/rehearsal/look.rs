//! Looking at a clone as a visitor.

use crate::{
    Error, Result,
    cage::{
        record::{self, Record},
        server,
        visit::{self, Answer, Visit},
    },
    config,
    home::Home,
    watch::Watch,
};
use std::{
    io::{Read, Write},
    path::Path,
    time::{Duration, Instant},
};

/// Files that visitors get by read-through are not larger.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Makes one request to a clone and hands the body of the answer on. The web server is
/// started by the first request of a session. A redirect is an answer like any other.
pub fn visit(
    home: &Home,
    handle: &str,
    visit: &Visit,
    out: &mut dyn Write,
    watch: &Watch,
) -> Result<Answer> {
    visit.check()?;
    let record = record::read(home, handle)?;
    let watch = watch.within(Duration::from_millis(visit.timeout_ms));
    if let Some(answer) = read_through(home, &record, visit, out)? {
        return Ok(answer);
    }
    let socket = server::ensure(home, &record)?;
    visit::ask(
        &socket,
        visit,
        &record.address.host,
        &record.secret,
        out,
        &watch,
    )
}

/// A file of the live uploads that the clone does not have.
fn read_through(
    home: &Home,
    record: &Record,
    visit: &Visit,
    out: &mut dyn Write,
) -> Result<Option<Answer>> {
    let since = Instant::now();
    let Some(uploads) = record.uploads.as_deref() else {
        return Ok(None);
    };
    if visit.method != "GET" && visit.method != "HEAD" {
        return Ok(None);
    }
    let Some(path) = upload_in(&visit.path, uploads) else {
        return Ok(None);
    };
    let within = format!("{uploads}/{path}");
    let own = home.resolve(&config::below(&record.site_root(), &within));
    if own.is_ok_and(|own| own.exists()) {
        return Ok(None);
    }
    let live = config::below(&record.root, &within);
    let Ok(Some(file)) = home.open_file(&live) else {
        return Ok(None);
    };
    let size = file.metadata().map_or(0, |found| found.len());
    if size > LARGEST {
        return Ok(None);
    }
    let mut answer = Answer {
        status: 200,
        headers: vec![
            ("Content-Type".to_owned(), kind(Path::new(&path)).to_owned()),
            ("Content-Length".to_owned(), size.to_string()),
            ("X-Robots-Tag".to_owned(), "noindex, nofollow".to_owned()),
        ],
        ..Answer::default()
    };
    if visit.method == "GET" {
        answer.bytes = std::io::copy(&mut file.take(visit.limit), out)
            .map_err(|why| Error::io("send", live, why))?;
        answer.cut = size.saturating_sub(answer.bytes);
    }
    answer.ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Some(answer))
}

/// The path below the uploads that a request names, if it names a file there that is no
/// program.
fn upload_in(path: &str, uploads: &str) -> Option<String> {
    let path = path.split(['?', '#']).next()?;
    let path = decoded(path)?;
    let marked = format!("/{uploads}/");
    let at = path.find(&marked)?;
    let below = &path[at + marked.len()..];
    let end = below.rsplit('.').next()?.to_ascii_lowercase();
    let plain = below
        .split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.'));
    let program = end.starts_with("ph") || end == "inc" || !below.contains('.');
    (plain && !program).then(|| below.to_owned())
}

fn decoded(path: &str) -> Option<String> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(out)
        .ok()
        .filter(|path| !path.contains('\0'))
}

fn kind(path: &Path) -> &'static str {
    let end = path.extension().and_then(|end| end.to_str());
    match end.unwrap_or_default().to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "css" => "text/css; charset=UTF-8",
        "js" => "text/javascript; charset=UTF-8",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_uploads_are_read_through() {
        let of = |path: &str| upload_in(path, "wp-content/uploads");
        assert_eq!(
            of("/wp-content/uploads/2024/a%20b.jpg?x=1"),
            Some("2024/a b.jpg".into())
        );
        assert_eq!(
            of("/second/wp-content/uploads/sites/2/a.png"),
            Some("sites/2/a.png".into())
        );
        for bad in [
            "/wp-content/uploads/../../wp-config.php",
            "/wp-content/uploads/%2e%2e/x.jpg",
            "/wp-content/uploads/a.php",
            "/wp-content/uploads/a.PHP7",
            "/wp-content/uploads/a.phtml",
            "/wp-content/uploads/.htpasswd",
            "/wp-content/uploads//a.jpg",
            "/wp-content/uploads/name",
            "/wp-content/uploads/%zz.jpg",
            "/wp-content/uploads/a%00.jpg",
            "/wp-content/a.jpg",
            "/",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
