//! W13 to W17: snapshots of a site.

use crate::{
    filters::one_of,
    pages::Page,
    wire::{SnapshotIn, SnapshotOut, SnapshotRowOut, id, snapshot::read_status},
};
use axum::http::{HeaderValue, StatusCode, header};
use data_encoding::BASE64;
use pressroom_base::{Secret, id::ShortId};
use pressroom_dialect_http::{Answer, Call, Fault, Incoming, Length};
use pressroom_fleet::{
    Error,
    snapshots::{AskSnapshot, Contents, Mode, Sending, Snapshot, SnapshotQuery},
};

/// The member that some clients nest all that they send in.
const WRAPPER: &str = "snapshot";
/// The file in a form.
const FIELD: &str = "file";
/// Bytes of a SHA-256.
const HASH: usize = 32;

/// What an archive may be sent as. Its form is told by its first bytes; a program that names
/// none of these means something else.
const MEDIA: &[&str] = &[
    "",
    "application/octet-stream",
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "application/x-zip-compressed",
    "application/x-tar",
    "application/zstd",
];

/// W13: newest first, without what is said of sending them.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let page = Page::of(&call)?;
    let site = site(&call)?;
    let status = one_of(&call, "status", read_status)?;
    let query = SnapshotQuery {
        state: status.flatten(),
        contents: one_of(&call, "kind", contents)?,
    };
    let (found, total) = call
        .fleet
        .list_site_snapshots(&call.caller, &site, query, page.limit(), page.offset())
        .await?;
    if status == Some(None) {
        return page.answer::<SnapshotRowOut>(&call, &[], 0);
    }
    let rows: Vec<_> = found
        .into_iter()
        .map(|snapshot| SnapshotRowOut::new(snapshot, &site))
        .collect();
    page.answer(&call, &rows, total)
}

/// W14: one of them, and where to download it.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let (site, id) = named(&call)?;
    let snapshot = call
        .fleet
        .find_site_snapshot(&call.caller, &site, &id)
        .await?;
    Answer::ok(&in_full(&call, snapshot, &site).await?)
}

/// W15: has the site packed, or awaits what somebody will send.
pub async fn create(call: Call) -> Result<Answer, Fault> {
    let site = site(&call)?;
    let input: SnapshotIn = call.unwrapped(WRAPPER)?;
    let ask = AskSnapshot {
        mode: known("mode", input.mode.as_deref(), mode)?.unwrap_or(Mode::Capture),
        contents: known("kind", input.kind.as_deref(), contents)?.unwrap_or_default(),
        label: input.label.unwrap_or_default(),
        retention_days: input.retention_days,
    };
    let snapshot = call.fleet.ask_snapshot(&call.caller, &site, ask).await?;
    let path = format!(
        "/api/v1/sites/{}/snapshots/{}",
        id::site(site.as_str()),
        id::snapshot(&snapshot.short_id)
    );
    let answer = Answer::created(&in_full(&call, snapshot, &site).await?)?;
    // Ids are letters and digits.
    Ok(match HeaderValue::from_str(&path) {
        Ok(path) => answer.with_header(header::LOCATION, path),
        Err(_) => answer,
    })
}

/// W16: its bytes go, its record stays.
pub async fn remove(call: Call) -> Result<Answer, Fault> {
    let (site, id) = named(&call)?;
    call.fleet
        .remove_site_snapshot(&call.caller, &site, &id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// W17: takes in what is awaited, as it comes.
pub async fn upload(call: Call, body: Incoming) -> Result<Answer, Fault> {
    let (site, id) = named(&call)?;
    // What cannot be sent at all is told before how it is sent.
    call.fleet.check_awaited(&call.caller, &site, &id).await?;
    if !body.is_form() && !MEDIA.contains(&body.media()) {
        return Err(Fault::UnsupportedMedia);
    }
    if body.length() == Length::Missing {
        return Err(Fault::LengthRequired);
    }
    let limit = call.fleet.upload_limit();
    if body.is_over(limit) {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        return Err(Fault::BodyTooLarge { limit });
    }
    let sending = Sending {
        declared: body.declared().filter(|_| !body.is_form()),
        sha256: checksum(&call)?,
    };
    let reader = body.reader(FIELD)?;
    let snapshot = call
        .fleet
        .upload_snapshot(&call.caller, &site, &id, sending, reader)
        .await?;
    Answer::ok(&in_full(&call, snapshot, &site).await?)
}

async fn in_full(call: &Call, snapshot: Snapshot, site: &ShortId) -> Result<SnapshotOut, Fault> {
    let url = call
        .fleet
        .download_url(&call.caller, &snapshot.id)
        .await?
        .map(Secret::into_inner);
    let address = call.fleet.public_url();
    Ok(SnapshotOut::new(snapshot, site, address, url))
}

/// The SHA-256 that the sender names, in lower-case hex: `X-Checksum-SHA256`, or the one in
/// `Content-Digest` (RFC 9530), whose other algorithms mean nothing here. Both must agree.
fn checksum(call: &Call) -> Result<Option<String>, Fault> {
    let invalid = |path: &str| Fault::Member {
        path: path.to_owned(),
        problem: "expected a SHA-256".into(),
    };
    let plain = Some(call.header("x-checksum-sha256").trim()).filter(|text| !text.is_empty());
    let plain = plain
        .map(|text| {
            let is_hash = text.len() == 2 * HASH && text.bytes().all(|b| b.is_ascii_hexdigit());
            is_hash
                .then(|| text.to_ascii_lowercase())
                .ok_or_else(|| invalid("x_checksum_sha256"))
        })
        .transpose()?;
    let digest = call
        .header("content-digest")
        .split(',')
        .find_map(|member| {
            let (name, value) = member.trim().split_once('=')?;
            name.trim().eq_ignore_ascii_case("sha-256").then_some(value)
        })
        .map(|value| {
            let value = value.trim().strip_prefix(':')?.strip_suffix(':')?;
            let hash = BASE64.decode(value.as_bytes()).ok()?;
            (hash.len() == HASH).then(|| hex::encode(hash))
        });
    let digest = match digest {
        Some(None) => return Err(invalid("content_digest")),
        digest => digest.flatten(),
    };
    match (plain, digest) {
        (Some(plain), Some(digest)) if plain != digest => Err(invalid("content_digest")),
        (plain, digest) => Ok(plain.or(digest)),
    }
}

/// A member that is one of some words.
fn known<T>(
    path: &str,
    given: Option<&str>,
    read: fn(&str) -> Option<T>,
) -> Result<Option<T>, Fault> {
    given
        .map(|text| {
            read(text).ok_or_else(|| Fault::Member {
                path: path.to_owned(),
                problem: "there is no such value".into(),
            })
        })
        .transpose()
}

fn contents(text: &str) -> Option<Contents> {
    match text {
        "full" => Some(Contents::Full),
        "database" => Some(Contents::Database),
        "files" => Some(Contents::Files),
        _ => None,
    }
}

fn mode(text: &str) -> Option<Mode> {
    match text {
        "capture" => Some(Mode::Capture),
        "upload" => Some(Mode::Upload),
        _ => None,
    }
}

/// The site and the snapshot in the path.
fn named(call: &Call) -> Result<(ShortId, ShortId), Fault> {
    let id = id::read_snapshot(call.param("id")).ok_or_else(missing)?;
    Ok((site(call)?, id))
}

fn site(call: &Call) -> Result<ShortId, Fault> {
    id::read_site(call.param("site_id")).ok_or_else(missing)
}

fn missing() -> Fault {
    Error::not_found("record").into()
}
