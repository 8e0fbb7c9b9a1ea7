//! Calls of S3 that the store crate does not make: making an object out of parts only
//! where nothing is yet, and listing uploads that were never completed. They go to
//! addresses that the store crate signs.

use super::{Key, s3::S3};
use crate::{Error, Result};
use bytes::Bytes;
use object_store::{
    multipart::PartId,
    path::Path,
    signer::{Method, SignedUrlOptions, Signer},
};
use pressroom_base::Timestamp;
use reqwest::{Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::Url;

const VALID: Duration = Duration::from_mins(15);
/// A service may put a large object together for minutes before it answers.
const COMPLETE_TIMEOUT: Duration = Duration::from_mins(10);
/// A listing has at most a thousand entries.
const ANSWER_LIMIT: usize = 4 << 20;

/// An upload that was begun and neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BegunUpload {
    pub(super) key: Key,
    pub(super) upload_id: String,
    pub(super) initiated: Timestamp,
}

#[derive(Serialize)]
#[serde(rename = "CompleteMultipartUpload")]
struct Complete<'a> {
    #[serde(rename = "Part")]
    parts: Vec<CompletePart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CompletePart<'a> {
    part_number: usize,
    #[serde(rename = "ETag")]
    etag: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads {
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
    #[serde(default, rename = "Upload")]
    begun: Vec<Begun>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Begun {
    key: String,
    upload_id: String,
    initiated: String,
}

/// How an object comes into being.
#[derive(Debug, Clone)]
pub(super) enum Creation {
    /// With this content.
    Whole(Bytes),
    /// Out of the parts of an upload, in this order.
    Parts {
        upload_id: String,
        parts: Vec<PartId>,
    },
}

/// What a service answered to a creation.
enum Answer {
    Done,
    Exists,
    /// It does not know the condition.
    Unconditional,
    /// The upload is not there: aborted, or completed by an earlier try of ours.
    Gone,
}

impl S3 {
    /// Makes an object where there is none yet; [`Error::Exists`] otherwise. An error
    /// that [`Error::is_unsure`] says nothing of the outcome.
    pub(super) async fn create(&self, key: &Key, what: &Creation) -> Result<()> {
        let path = key.below(self.prefix.as_ref());
        let body = match what {
            Creation::Whole(bytes) => bytes.clone(),
            Creation::Parts { parts, .. } => completion(parts)?.into(),
        };
        let mut condition = true;
        let mut sent = 0;
        let mut silence = None;
        loop {
            let answer = self.create_once(&path, what, body.clone(), condition).await;
            sent += 1;
            match (answer, silence.take()) {
                (Ok(Answer::Done), _) => return Ok(()),
                // An earlier try of ours may have been carried out and its answer lost.
                (Ok(Answer::Exists | Answer::Gone), Some(silence)) => return Err(silence),
                (Ok(Answer::Exists), None) => return Err(Error::Exists(key.to_string())),
                (Ok(Answer::Gone), None) => {
                    return Err(Error::NotFound(format!("{key} (its upload)")));
                }
                (Ok(Answer::Unconditional), before) if condition => {
                    // Then the best that can be had is to look first.
                    if self.head(&path).await? {
                        return Err(before.unwrap_or_else(|| Error::Exists(key.to_string())));
                    }
                    condition = false;
                    silence = before;
                }
                (Ok(Answer::Unconditional), _) => {
                    return Err(failure("it cannot make an object"));
                }
                (Err(error), _) if error.is_unsure() && sent < self.attempts => {
                    silence = Some(error);
                    tokio::time::sleep(pause(sent)).await;
                }
                (Err(error), _) => return Err(error),
            }
        }
    }

    async fn create_once(
        &self,
        path: &Path,
        what: &Creation,
        body: Bytes,
        condition: bool,
    ) -> Result<Answer> {
        let is_whole = matches!(what, Creation::Whole(_));
        let mut request = match what {
            Creation::Whole(_) => {
                let url = self.signed(Method::PUT, path, []).await?;
                self.client.put(url)
            }
            Creation::Parts { upload_id, .. } => {
                let query = [("uploadId", upload_id.as_str())];
                let url = self.signed(Method::POST, path, query).await?;
                self.client
                    .post(url)
                    .timeout(COMPLETE_TIMEOUT)
                    .header(header::CONTENT_TYPE, "application/xml")
            }
        };
        if condition {
            request = request.header(header::IF_NONE_MATCH, "*");
        }
        let answer = request.body(body).send().await.map_err(silent)?;
        let status = answer.status();
        let text = read_answer(answer).await?;
        match status {
            StatusCode::OK | StatusCode::CREATED if is_whole => Ok(Answer::Done),
            // The status is sent before the work is done, so the text decides.
            StatusCode::OK if text.contains("CompleteMultipartUploadResult") => Ok(Answer::Done),
            StatusCode::PRECONDITION_FAILED => Ok(Answer::Exists),
            StatusCode::NOT_IMPLEMENTED => Ok(Answer::Unconditional),
            StatusCode::NOT_FOUND if !is_whole => Ok(Answer::Gone),
            _ => Err(refused(status, &text)),
        }
    }

    async fn head(&self, path: &Path) -> Result<bool> {
        use object_store::ObjectStoreExt;
        match self.store.head(path).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(Error::of_store(path.as_ref(), error)),
        }
    }

    /// Uploads below the prefix that were never completed. `MinIO` lists only those of
    /// one exact key; there its own expiry of stale uploads has to help.
    pub(super) async fn begun_uploads(&self) -> Result<Vec<BegunUpload>> {
        let prefix = self
            .prefix
            .as_ref()
            .map_or_else(String::new, |prefix| format!("{prefix}/"));
        let mut found = Vec::new();
        let (mut key_marker, mut id_marker) = (String::new(), String::new());
        loop {
            let mut query = vec![("uploads", "")];
            if !prefix.is_empty() {
                query.push(("prefix", &prefix));
            }
            if !key_marker.is_empty() {
                query.push(("key-marker", &key_marker));
                query.push(("upload-id-marker", &id_marker));
            }
            let url = self.signed(Method::GET, &Path::default(), query).await?;
            let answer = self.client.get(url).send().await.map_err(silent)?;
            let status = answer.status();
            let text = read_answer(answer).await?;
            if status != StatusCode::OK {
                return Err(refused(status, &text));
            }
            let page: Uploads =
                quick_xml::de::from_str(&text).map_err(|error| Error::Store(Box::new(error)))?;
            let before = (key_marker, id_marker);
            for upload in page.begun {
                found.extend(self.of_ours(upload));
            }
            key_marker = page.next_key_marker;
            id_marker = page.next_upload_id_marker;
            // A service that repeats itself must not keep us here.
            if !page.is_truncated || (&key_marker, &id_marker) == (&before.0, &before.1) {
                return Ok(found);
            }
        }
    }

    fn of_ours(&self, upload: Begun) -> Option<BegunUpload> {
        let path = Path::parse(&upload.key).ok()?;
        let initiated = OffsetDateTime::parse(&upload.initiated, &Rfc3339).ok()?;
        let millis = initiated.unix_timestamp_nanos() / 1_000_000;
        Some(BegunUpload {
            key: Key::of_path(&path, self.prefix.as_ref())?,
            upload_id: upload.upload_id,
            initiated: Timestamp::from_millis(i64::try_from(millis).ok()?),
        })
    }

    /// An address at which the object can be fetched for a while, under a name.
    pub(super) async fn presigned(&self, key: &Key, ttl: Duration, file_name: &str) -> Result<Url> {
        let path = key.below(self.prefix.as_ref());
        let disposition = format!("attachment; filename=\"{file_name}\"");
        let options =
            SignedUrlOptions::default().with_query([("response-content-disposition", disposition)]);
        self.store
            .signed_url_opts(Method::GET, &path, ttl, &options)
            .await
            .map_err(|error| Error::of_store(key.as_str(), error))
    }

    async fn signed<'a>(
        &self,
        method: Method,
        path: &Path,
        query: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Url> {
        let options = SignedUrlOptions::default().with_query(query);
        self.store
            .signed_url_opts(method, path, VALID, &options)
            .await
            .map_err(|error| Error::of_store(path.as_ref(), error))
    }
}

/// How long to wait before the next try: 0.2 s, doubling, at most 10 s.
pub(super) fn pause(tries: usize) -> Duration {
    let doublings = u32::try_from(tries.saturating_sub(1))
        .unwrap_or(u32::MAX)
        .min(6);
    (Duration::from_millis(200) * 2u32.pow(doublings)).min(Duration::from_secs(10))
}

fn completion(parts: &[PartId]) -> Result<String> {
    let body = Complete {
        parts: parts
            .iter()
            .enumerate()
            .map(|(index, part)| CompletePart {
                part_number: index + 1,
                etag: &part.content_id,
            })
            .collect(),
    };
    quick_xml::se::to_string(&body).map_err(|error| Error::Store(Box::new(error)))
}

async fn read_answer(mut answer: Response) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(silent)? {
        if bytes.len() + chunk.len() > ANSWER_LIMIT {
            return Err(failure("its answer has no end"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The address is left out: it is signed, and whoever reads it may use it.
fn silent(error: reqwest::Error) -> Error {
    Error::Unreachable(Box::new(error.without_url()))
}

fn refused(status: StatusCode, text: &str) -> Error {
    let text: String = text.chars().take(500).collect();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Error::Denied(object_store::Error::PermissionDenied {
                path: String::new(),
                source: text.into(),
            })
        }
        StatusCode::INSUFFICIENT_STORAGE => Error::Full,
        _ => failure(&format!("{status}: {text}")),
    }
}

fn failure(text: &str) -> Error {
    Error::Store(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_names_its_parts_in_order() {
        let part = |tag: &str| PartId {
            content_id: tag.to_owned(),
        };
        assert_eq!(
            completion(&[part("\"a\""), part("b<c")]).unwrap(),
            "<CompleteMultipartUpload>\
             <Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>\
             <Part><PartNumber>2</PartNumber><ETag>b&lt;c</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(1), Duration::from_millis(200));
        assert_eq!(pause(3), Duration::from_millis(800));
        assert_eq!(pause(usize::MAX), Duration::from_secs(10));
    }

    #[test]
    fn a_listing_of_uploads_reads_back() {
        let none: Uploads =
            quick_xml::de::from_str("<ListMultipartUploadsResult/>").expect("is a listing");
        assert!(none.begun.is_empty() && !none.is_truncated);
        let some: Uploads = quick_xml::de::from_str(
            "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Bucket>b</Bucket><NextKeyMarker>k</NextKeyMarker><IsTruncated>true</IsTruncated>\
             <Upload><Key>a/b</Key><UploadId>1</UploadId><Owner><ID>x</ID></Owner>\
             <Initiated>2026-05-18T10:39:25.000Z</Initiated></Upload>\
             <Upload><Key>a/c</Key><UploadId>2</UploadId>\
             <Initiated>2026-05-18T10:39:25.000Z</Initiated></Upload>\
             </ListMultipartUploadsResult>",
        )
        .expect("is a listing");
        assert_eq!(some.begun.len(), 2);
        assert!(some.is_truncated);
    }
}
