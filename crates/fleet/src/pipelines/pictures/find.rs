//! Pictures as faces see them.

use super::place::{LARGEST, key_of};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
    pipelines::{find::missing, picture::PipelinePicture},
};
use pressroom_base::id::ShortId;
use pressroom_store::{Lookup, pipelines};

/// A picture with its bytes.
#[derive(Debug, Clone)]
pub struct OpenPicture {
    /// What it shows.
    pub picture: PipelinePicture,
    /// A PNG file of at most 1 MiB.
    pub png: Vec<u8>,
}

impl Fleet {
    /// The pictures that a pipeline has kept, in the order in which it did.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn pipeline_pictures(
        &self,
        caller: &Caller,
        id: &ShortId,
    ) -> Result<Vec<PipelinePicture>> {
        let row = self.pipeline_row(caller, Action::SiteRead, id).await?;
        let found = pipelines::pictures(&self.parts.store, row.id).await?;
        Ok(found.into_iter().map(PipelinePicture::from).collect())
    }

    /// One of them, with its bytes.
    ///
    /// Errors: `NotFound`, also where it is another pipeline's; `Forbidden`; what the archive
    /// says where the bytes are not there.
    pub async fn open_picture(
        &self,
        caller: &Caller,
        pipeline: &ShortId,
        id: &ShortId,
    ) -> Result<OpenPicture> {
        let of = self
            .pipeline_row(caller, Action::SiteRead, pipeline)
            .await?;
        let scope = caller.principal.scope();
        let row = match pipelines::picture(&self.parts.store, &scope, id).await? {
            Lookup::Found(row) if row.pipeline_id == of.id => row,
            Lookup::Foreign => return Err(no_picture().with_code(code::FOREIGN)),
            _ => return Err(no_picture()),
        };
        let owner = Resource::OfAccount(row.account_id);
        authorize(&caller.principal, Action::SiteRead, owner)?;
        let objects = self.parts.archive.objects();
        let png = objects.read_small(&key_of(&row)?, LARGEST as u64).await?;
        Ok(OpenPicture {
            picture: row.into(),
            png,
        })
    }
}

fn no_picture() -> Error {
    missing()
}
