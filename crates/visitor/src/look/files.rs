//! The files that pages are made with: whether they arrive, and are what they should be.

use super::{AT_ONCE, Visitor};
use crate::{
    channel::{Fetch, Fetched},
    facts::{FileKind, FileRef},
    impression::{Fault, File},
    stylesheet,
};
use futures_util::{StreamExt, stream};
use std::{collections::BTreeSet, time::Instant};

/// Files that are asked for at most, of each kind.
const STYLES: usize = 60;
const SCRIPTS: usize = 80;
const FONTS: usize = 20;
const PICTURES: usize = 40;
/// Bytes that are read of what is only looked at to be there.
const BEGINNING: usize = 4096;

impl Visitor {
    /// Asks for each file once; what is not reached before the deadline is left out.
    pub(super) async fn files(&self, named: BTreeSet<FileRef>, deadline: Instant) -> Vec<File> {
        let mut seen = BTreeSet::new();
        let mut room =
            |file: &FileRef, limit: usize| seen.len() < limit && seen.insert(file.place.clone());
        let mut wanted = Vec::new();
        for (kind, limit) in [
            (FileKind::Style, STYLES),
            (FileKind::Script, STYLES + SCRIPTS),
            (FileKind::Font, STYLES + SCRIPTS + FONTS),
            (FileKind::Picture, STYLES + SCRIPTS + FONTS + PICTURES),
        ] {
            let of_kind = named.iter().filter(|file| file.kind == kind);
            wanted.extend(of_kind.filter(|file| room(file, limit)).cloned());
        }
        let (mut files, fonts) = self.arrive(wanted, deadline).await;
        let known: BTreeSet<_> = files.iter().map(|file| file.place.clone()).collect();
        let fonts: Vec<_> = fonts
            .into_iter()
            .filter(|font| !known.contains(&font.place))
            .take(FONTS)
            .collect();
        let (more, _) = self.arrive(fonts, deadline).await;
        files.extend(more);
        files.sort_by(|one, other| (one.kind, &one.place).cmp(&(other.kind, &other.place)));
        files
    }

    async fn arrive(
        &self,
        wanted: Vec<FileRef>,
        deadline: Instant,
    ) -> (Vec<File>, BTreeSet<FileRef>) {
        let asked: Vec<_> = stream::iter(wanted)
            .map(|file| async move {
                if Instant::now() >= deadline {
                    return None;
                }
                Some(self.file(file).await)
            })
            .buffer_unordered(2 * AT_ONCE)
            .filter_map(|file| async { file })
            .collect()
            .await;
        let mut fonts = BTreeSet::new();
        let mut files = Vec::new();
        for (file, named) in asked {
            files.push(file);
            fonts.extend(named);
        }
        (files, fonts)
    }

    async fn file(&self, file: FileRef) -> (File, Vec<FileRef>) {
        let limit = match file.kind {
            FileKind::Style => stylesheet::LIMIT,
            FileKind::Script => 256 << 10,
            FileKind::Font | FileKind::Picture => BEGINNING,
        };
        let fetch = Fetch::get(&file.asked, limit, self.plan.timeout).header("accept", "*/*");
        let answer = match self.channel.fetch(fetch.clone()).await {
            Err(_) => self.channel.fetch(fetch).await,
            answer => answer,
        };
        let mut seen = File {
            kind: file.kind,
            place: file.place,
            status: None,
            bytes: 0,
            fault: None,
        };
        let Ok(fetched) = answer else {
            return (seen, Vec::new());
        };
        seen.status = Some(fetched.status);
        let told = fetched.header("content-length");
        seen.bytes = told
            .filter(|_| fetched.cut)
            .and_then(|told| told.parse().ok())
            .unwrap_or(fetched.body.len() as u64);
        seen.fault = fault(&fetched);
        let fonts = match (file.kind, self.home.join(&file.asked)) {
            (FileKind::Style, Some(at)) => stylesheet::fonts(&fetched.body, &self.home, &at),
            _ => Vec::new(),
        };
        (seen, fonts)
    }
}

fn fault(fetched: &Fetched) -> Option<Fault> {
    let body = fetched.body.trim_ascii_start();
    if body.is_empty() {
        return Some(Fault::Empty);
    }
    let begin = body[..body.len().min(200)].to_ascii_lowercase();
    let is_page = begin.starts_with(b"<!doctype html")
        || begin.starts_with(b"<html")
        || fetched.content_type() == "text/html";
    is_page.then_some(Fault::IsPage)
}
