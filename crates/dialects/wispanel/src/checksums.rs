//! T36: files held against their packages.

use crate::{lookup::installation, wire::ChecksumsOut};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{authorize::Action, checksums::VerifySite};

/// WordPress itself and every plugin; nothing is changed.
pub async fn verify(call: Call) -> Result<Answer, Fault> {
    let environment = installation(&call, call.query("id")?, Action::SiteRead).await?;
    let what = VerifySite {
        themes: false,
        ..VerifySite::ALL
    };
    let found = call
        .fleet
        .verify_site(&call.caller, environment.id, what)
        .await?;
    Answer::ok(&ChecksumsOut::from(found))
}
