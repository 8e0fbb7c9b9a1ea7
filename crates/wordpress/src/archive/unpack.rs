//! Lays an archive out in the staging directory.

use super::{
    intake::{Checked, Intake},
    limits::{Counted, Limits, Packed},
    manifest::EntryPath,
    names::Rules,
    pack::{Format, nameless},
    read_tar, read_zip,
    stage::Stage,
};
use crate::{Error, Result, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    fs::DirBuilder,
    io::{self, Read, Write},
    os::unix::fs::DirBuilderExt,
};

/// How an archive is unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackOptions {
    /// How much it may hold.
    pub limits: Limits,
    /// Whether an archive without a manifest is refused.
    pub require_manifest: bool,
    /// What happens to symbolic links that point out of their tree.
    pub outside_links: OutsideLinks,
}

/// What happens to symbolic links that point out of their tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutsideLinks {
    /// The archive is refused.
    #[default]
    Refuse,
    /// They are unpacked as they are: for an archive known, by its hash on record,
    /// to be one we made of this very site. Some hosts link `uploads` to a place
    /// outside, and a snapshot that could not be restored would be none.
    Keep,
}

/// A tree, or several, ready to be put in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// Handle for [`super::exchange()`] and [`super::drop_unpacked`].
    pub staged: String,
    /// The format found.
    pub format: Format,
    /// What is in there, and whether it is what the manifest says.
    pub checked: Checked,
}

impl Default for UnpackOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            require_manifest: true,
            outside_links: OutsideLinks::Refuse,
        }
    }
}

/// Unpacks an archive, `tar.zst` or zip by its first bytes, into the staging
/// directory. Owners are never taken from it, modes lose their set-id bits and
/// others' right to write. After a failure nothing is left of it.
pub fn unpack(
    home: &Home,
    epoch: Epoch,
    input: &mut dyn Read,
    options: &UnpackOptions,
    watch: &Watch,
) -> Result<Unpacked> {
    fence::check(home, epoch, watch)?;
    let staged = package::handle(epoch)?;
    let dir = home.state_subdir("staging")?.join(&staged);
    DirBuilder::new()
        .mode(0o700)
        .create(&dir)
        .map_err(|why| Error::io("create", &dir, why))?;
    let mut stage = Stage::new(&dir);
    let result = read(home, input, options, &mut stage, watch);
    match result {
        Ok((format, checked)) => Ok(Unpacked {
            staged,
            format,
            checked,
        }),
        Err(why) => {
            // The first failure is the one worth telling; recovery sweeps the rest.
            let _ = disk::remove_tree(&dir);
            Err(why)
        }
    }
}

fn read(
    home: &Home,
    input: &mut dyn Read,
    options: &UnpackOptions,
    stage: &mut Stage,
    watch: &Watch,
) -> Result<(Format, Checked)> {
    let (format, start) = format_of(input)?;
    let mut input = start.as_slice().chain(input);
    let rules = match format {
        Format::TarZst => Rules::Tar,
        Format::Zip => Rules::Zip,
    };
    let mut intake = Intake::new(options.limits, rules, stage, watch);
    match format {
        Format::TarZst => read_tar::read(&mut intake, &mut input)?,
        Format::Zip => {
            let spool = spool(home, &mut input, &options.limits, watch)?;
            read_zip::read(&mut intake, spool)?;
        }
    }
    let (checked, seen) = intake.finish()?;
    if options.require_manifest && !checked.has_manifest {
        return Err(Error::BadInput("archive has no manifest".to_owned()));
    }
    if options.outside_links == OutsideLinks::Refuse
        && let Some(first) = checked.outside_links.first()
    {
        let shown = super::names::shown(EntryPath::bytes(first));
        return Err(Error::BadInput(format!(
            "archive entry {shown} is a link that leaves the tree, as do {} more",
            checked.outside_links.len() - 1
        )));
    }
    stage.settle(&seen)?;
    Ok((format, checked))
}

/// The format by the first four bytes, which come back.
fn format_of(input: &mut dyn Read) -> Result<(Format, Vec<u8>)> {
    let mut start = Vec::new();
    input
        .take(4)
        .read_to_end(&mut start)
        .map_err(|why| Error::io("receive", "archive", why))?;
    let format = match start.as_slice() {
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Format::TarZst,
        [b'P', b'K', ..] => Format::Zip,
        _ => {
            return Err(Error::BadInput(
                "archive is neither a tar in zstd nor a zip".to_owned(),
            ));
        }
    };
    Ok((format, start))
}

/// Receives a zip into a nameless file.
fn spool(
    home: &Home,
    input: &mut dyn Read,
    limits: &Limits,
    watch: &Watch,
) -> Result<std::fs::File> {
    let mut file = nameless(home)?;
    let mut input = Counted::new(input, Packed::default(), limits.archive_bytes);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        watch.check()?;
        match input.read(&mut buffer) {
            Ok(0) => return Ok(file),
            Ok(count) => file
                .write_all(&buffer[..count])
                .map_err(|why| Error::io("write", "archive", why))?,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => {
                watch.check()?;
                return Err(Error::io("receive", "archive", why));
            }
        }
    }
}
