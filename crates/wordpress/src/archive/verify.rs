//! Reads an archive back without keeping anything of it.

use super::{
    intake::{Checked, Intake, Nowhere},
    limits::Limits,
    names::Rules,
    read_tar, read_zip,
};
use crate::{Result, watch::Watch};
use std::io::{Read, Seek};

/// Reads a `tar.zst` to its end and holds it against its manifest. What it says is
/// true of the bytes that were read; an archive without a manifest is no error, see
/// [`Checked::has_manifest`].
pub fn verify(input: &mut dyn Read, limits: &Limits, watch: &Watch) -> Result<Checked> {
    let mut sink = Nowhere;
    let mut intake = Intake::new(*limits, Rules::Tar, &mut sink, watch);
    read_tar::read(&mut intake, input)?;
    Ok(intake.finish()?.0)
}

/// The same of a zip, which cannot be read as a stream.
pub fn verify_zip<R: Read + Seek>(input: R, limits: &Limits, watch: &Watch) -> Result<Checked> {
    let mut sink = Nowhere;
    let mut intake = Intake::new(*limits, Rules::Zip, &mut sink, watch);
    read_zip::read(&mut intake, input)?;
    Ok(intake.finish()?.0)
}
