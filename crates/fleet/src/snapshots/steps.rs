//! The steps of a restore that the way back asks for.

pub(super) const UNPACK_STEP: &str = "unpack";
pub(super) const TABLES_STEP: &str = "tables";
pub(super) const FILES_STEP: &str = "files";
/// The restored site was looked at and found well: from here it stays. Not `verify`,
/// which taking the snapshot of the present state is a step of.
pub(super) const VERDICT_STEP: &str = "judge";
