//! A server that speaks S3 over real sockets: signatures, multipart uploads, ranges,
//! conditions and listings are those of the `s3s` crate, which shares no code with the
//! client under test. What its file back end leaves out is added here.

use data_encoding::BASE64URL_NOPAD;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{
    S3, S3Request, S3Response, S3Result, auth::SimpleAuth, dto, s3_error, service::S3ServiceBuilder,
};
use s3s_fs::FileSystem;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::SystemTime,
};
use tokio::net::TcpListener;

pub const ACCESS_KEY: &str = "PRESSROOMTEST";
pub const SECRET_KEY: &str = "not+a/real=secret";
pub const BUCKET: &str = "archive";

/// A running server; it ends with the test's runtime.
#[derive(Clone)]
pub struct Cloud {
    pub address: SocketAddr,
    pub behaviour: Arc<Behaviour>,
    root: PathBuf,
}

/// What services do differently, or do at bad moments.
#[derive(Default)]
pub struct Behaviour {
    /// `If-None-Match` is answered with 501, as some services do.
    pub knows_no_conditions: AtomicBool,
    /// So many objects are made, and the answer that says so is lost.
    pub lost_answers: AtomicU32,
    /// Objects made out of parts, with the condition that there be none yet.
    pub conditional_completions: AtomicU32,
}

impl Cloud {
    pub async fn start(root: &Path) -> Self {
        fs::create_dir_all(root.join(BUCKET)).unwrap();
        let behaviour = Arc::new(Behaviour::default());
        let back = Back {
            files: FileSystem::new(root).unwrap(),
            root: root.to_path_buf(),
            behaviour: Arc::clone(&behaviour),
        };
        let mut builder = S3ServiceBuilder::new(back);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            while let Ok((socket, _)) = listener.accept().await {
                let connection = server
                    .serve_connection(TokioIo::new(socket), service.clone())
                    .into_owned();
                tokio::spawn(connection);
            }
        });
        Self {
            address,
            behaviour,
            root: root.to_path_buf(),
        }
    }

    /// The file in which the server keeps an object.
    pub fn file(&self, key: &str) -> PathBuf {
        self.root.join(BUCKET).join(key)
    }

    /// Files of parts and of uploads that were not completed, as they lie there.
    pub fn leftovers(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("upload"))
            .collect();
        names.sort();
        names
    }
}

struct Back {
    files: FileSystem,
    root: PathBuf,
    behaviour: Arc<Behaviour>,
}

impl Back {
    fn refuse_condition(&self, condition: Option<&dto::ETagCondition>) -> S3Result<()> {
        if condition.is_some() && self.behaviour.knows_no_conditions.load(Ordering::Relaxed) {
            return Err(s3_error!(
                NotImplemented,
                "a header implies more than there is"
            ));
        }
        Ok(())
    }

    /// After something was done: whether its answer gets through.
    fn answer<T>(&self, answer: T) -> S3Result<T> {
        let lost = &self.behaviour.lost_answers;
        let taken = lost.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
        match taken {
            Ok(_) => Err(s3_error!(InternalError, "the answer was lost")),
            Err(_) => Ok(answer),
        }
    }

    /// An upload the server does not know, as services answer it.
    fn known(&self, upload_id: &str) -> S3Result<()> {
        if self.root.join(format!(".upload-{upload_id}.json")).exists() {
            Ok(())
        } else {
            Err(s3_error!(NoSuchUpload))
        }
    }
}

#[async_trait::async_trait]
impl S3 for Back {
    async fn put_object(
        &self,
        request: S3Request<dto::PutObjectInput>,
    ) -> S3Result<S3Response<dto::PutObjectOutput>> {
        self.refuse_condition(request.input.if_none_match.as_ref())?;
        let done = self.files.put_object(request).await?;
        self.answer(done)
    }

    async fn get_object(
        &self,
        request: S3Request<dto::GetObjectInput>,
    ) -> S3Result<S3Response<dto::GetObjectOutput>> {
        let disposition = request.input.response_content_disposition.clone();
        let mut found = self.files.get_object(request).await?;
        if disposition.is_some() {
            found.output.content_disposition = disposition;
        }
        Ok(found)
    }

    async fn head_object(
        &self,
        request: S3Request<dto::HeadObjectInput>,
    ) -> S3Result<S3Response<dto::HeadObjectOutput>> {
        self.files.head_object(request).await
    }

    async fn delete_object(
        &self,
        request: S3Request<dto::DeleteObjectInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectOutput>> {
        self.files.delete_object(request).await
    }

    async fn delete_objects(
        &self,
        request: S3Request<dto::DeleteObjectsInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectsOutput>> {
        self.files.delete_objects(request).await
    }

    /// Three at a time, so that every listing has pages.
    async fn list_objects_v2(
        &self,
        mut request: S3Request<dto::ListObjectsV2Input>,
    ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
        request.input.max_keys = Some(3);
        self.files.list_objects_v2(request).await
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<dto::CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::CreateMultipartUploadOutput>> {
        self.files.create_multipart_upload(request).await
    }

    async fn upload_part(
        &self,
        request: S3Request<dto::UploadPartInput>,
    ) -> S3Result<S3Response<dto::UploadPartOutput>> {
        self.known(&request.input.upload_id)?;
        self.files.upload_part(request).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<dto::CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::CompleteMultipartUploadOutput>> {
        self.refuse_condition(request.input.if_none_match.as_ref())?;
        self.known(&request.input.upload_id)?;
        if request.input.if_none_match.is_some() {
            self.behaviour
                .conditional_completions
                .fetch_add(1, Ordering::Relaxed);
        }
        let done = self.files.complete_multipart_upload(request).await?;
        self.answer(done)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<dto::AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<dto::AbortMultipartUploadOutput>> {
        self.known(&request.input.upload_id)?;
        self.files.abort_multipart_upload(request).await
    }

    /// Two at a time.
    async fn list_multipart_uploads(
        &self,
        request: S3Request<dto::ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<dto::ListMultipartUploadsOutput>> {
        let input = request.input;
        let prefix = input.prefix.unwrap_or_default();
        let after = (
            input.key_marker.unwrap_or_default(),
            input.upload_id_marker.unwrap_or_default(),
        );
        let mut begun: Vec<(String, String, SystemTime)> = fs::read_dir(&self.root)
            .unwrap()
            .filter_map(|entry| {
                let entry = entry.unwrap();
                let (key, id) = upload_of(&entry.file_name().into_string().unwrap())?;
                let since = entry.metadata().ok()?.modified().ok()?;
                (key.starts_with(&prefix) && (key.clone(), id.clone()) > after)
                    .then_some((key, id, since))
            })
            .collect();
        begun.sort();
        let is_truncated = begun.len() > 2;
        begun.truncate(2);
        let last = begun.last().cloned();
        Ok(S3Response::new(dto::ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            is_truncated: Some(is_truncated),
            next_key_marker: last.as_ref().map(|last| last.0.clone()),
            next_upload_id_marker: last.map(|last| last.1),
            uploads: Some(
                begun
                    .into_iter()
                    .map(|(key, id, since)| dto::MultipartUpload {
                        key: Some(key),
                        upload_id: Some(id),
                        initiated: Some(since.into()),
                        ..Default::default()
                    })
                    .collect(),
            ),
            ..Default::default()
        }))
    }
}

/// Key and id out of the name of the file in which the back end notes an upload.
fn upload_of(name: &str) -> Option<(String, String)> {
    let bucket = BASE64URL_NOPAD.encode(BUCKET.as_bytes());
    let rest = name.strip_prefix(&format!(".bucket-{bucket}.object-"))?;
    let (key, id) = rest
        .strip_suffix(".metadata.json")?
        .split_once(".upload-")?;
    let key = BASE64URL_NOPAD.decode(key.as_bytes()).ok()?;
    Some((String::from_utf8(key).ok()?, id.to_owned()))
}
