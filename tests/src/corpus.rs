//! Updates that break a site, and updates that only look as if they did.
//!
//! Each class makes a plugin or theme in two versions, 1.0.0 and the update to 1.1.0, out of
//! seeded chance: names, hooks, messages and how bad it is are others each time. Nothing that
//! judges updates may know of this; what is sought here goes through the pipelines of a real
//! server at a real site ([`run`]), and the result is a table ([`table`]).

mod base;
mod dead;
mod good;
mod machines;
mod packages;
mod pages;
pub mod run;
mod shown;
pub mod table;

use anyhow::Result;
use pressroom_testkit::{
    chance::Chance,
    wordpress_org::{self, Trouble, zip_of},
};
use std::collections::BTreeMap;

/// The version that a site has.
pub const OLD: &str = "1.0.0";
/// The version that is offered.
pub const NEW: &str = "1.1.0";

/// What is to become of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It must not stay at the site.
    Bad,
    /// It must.
    Good,
}

/// Where the trouble is, and so what the server and its site must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Chromium: it is to be seen in a browser alone.
    Pictures,
    /// A page cache in front of the site.
    PageCache,
}

/// A kind of update.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// Its name: letters and underscores.
    pub name: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    /// What is to become of it.
    pub kind: Kind,
    /// What it takes to see it.
    pub needs: Needs,
    /// Findings one of which must name it.
    pub named: &'static [&'static str],
    make: fn(&mut Draft, &mut Chance),
}

/// What is downloaded as the new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// The package.
    Whole,
    /// So many hundredths of its bytes.
    Cut(usize),
    /// Nothing, in this way.
    Never(Trouble),
}

/// A page that an owner made of it.
#[derive(Debug, Clone)]
pub struct Post {
    /// What follows the site's address.
    pub name: String,
    /// What is in it.
    pub content: String,
}

/// One version: paths below its directory, and what is in the files.
type Files = BTreeMap<String, String>;

/// An update that is being made.
#[derive(Debug)]
struct Draft {
    is_theme: bool,
    /// Its directory.
    slug: String,
    /// What its functions and options begin with.
    prefix: String,
    old: Files,
    new: Files,
    /// The folder in the package of the new version.
    folder: String,
    delivery: Delivery,
    posts: Vec<Post>,
    /// Pages that the owner wants looked at, beside the front page.
    paths: Vec<String>,
}

/// An update, made.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is one of.
    pub class: Class,
    /// Which of its class.
    pub number: u64,
    /// Whether it is a theme.
    pub is_theme: bool,
    /// Its directory.
    pub slug: String,
    /// What its options, tables and events begin with.
    pub prefix: String,
    /// The files of version 1.0.0, by their paths in its directory.
    pub old: Vec<(String, Vec<u8>)>,
    /// Pages that its owner made with it.
    pub posts: Vec<Post>,
    /// Pages that its owner wants looked at.
    pub paths: Vec<String>,
    release: Vec<u8>,
    delivery: Delivery,
}

/// Every class: the bad ones, then the good ones.
pub fn classes() -> Vec<Class> {
    [
        dead::CLASSES,
        packages::CLASSES,
        machines::CLASSES,
        pages::CLASSES,
        shown::CLASSES,
        good::CLASSES,
    ]
    .concat()
}

impl Class {
    /// One of its class: the same for the same seed and number, whatever else is made.
    pub fn case(self, seed: u64, number: u64) -> Result<Case> {
        let mut chance = Chance::apart(seed, self.name, number);
        let mut draft = base::plugin(&mut chance);
        (self.make)(&mut draft, &mut chance);
        let old = draft.files(&draft.old, OLD);
        let packed: Vec<_> = draft
            .files(&draft.new, NEW)
            .into_iter()
            .map(|(path, content)| (format!("{}{path}", draft.folder), content))
            .collect();
        Ok(Case {
            class: self,
            number,
            is_theme: draft.is_theme,
            old,
            release: zip_of(&packed)?,
            delivery: draft.delivery,
            paths: [vec!["/".to_owned()], draft.paths].concat(),
            posts: draft.posts,
            slug: draft.slug,
            prefix: draft.prefix,
        })
    }
}

impl Case {
    /// As wordpress.org offers it.
    pub fn offer(&self) -> wordpress_org::Release {
        let kind = if self.is_theme {
            wordpress_org::Kind::Theme
        } else {
            wordpress_org::Kind::Plugin
        };
        let mut zip = self.release.clone();
        if let Delivery::Cut(share) = self.delivery {
            zip.truncate(zip.len() * share / 100);
        }
        wordpress_org::Release {
            kind,
            slug: self.slug.clone(),
            version: NEW.to_owned(),
            zip,
            link: None,
        }
    }

    /// What goes wrong with its download.
    pub fn trouble(&self) -> Option<Trouble> {
        match self.delivery {
            Delivery::Never(trouble) => Some(trouble),
            Delivery::Whole | Delivery::Cut(_) => None,
        }
    }

    /// As `--only` names it.
    pub fn label(&self) -> String {
        let kind = if self.is_theme { "theme" } else { "plugin" };
        format!("{kind}:{}", self.slug)
    }

    /// What the running version prints at the foot of each page.
    pub fn mark(&self, version: &str) -> String {
        format!("<!-- {} {version} -->", self.slug)
    }
}

impl Draft {
    /// Adds PHP to the main file of both versions, where it is loaded.
    fn both(&mut self, code: &str) {
        let main = self.main();
        for files in [&mut self.old, &mut self.new] {
            files.entry(main.clone()).or_default().push_str(code);
        }
    }

    /// Adds PHP to the main file of the old version.
    fn before(&mut self, code: &str) {
        let main = self.main();
        self.old.entry(main).or_default().push_str(code);
    }

    /// Adds PHP to the main file of the new version.
    fn after(&mut self, code: &str) {
        let main = self.main();
        self.new.entry(main).or_default().push_str(code);
    }

    /// Adds a file to the new version, or puts another in its place.
    fn put(&mut self, path: &str, content: &str) {
        self.new.insert(self.named(path), content.to_owned());
    }

    /// Adds a file to both versions.
    fn put_both(&mut self, path: &str, content: &str) {
        self.old.insert(self.named(path), content.to_owned());
        self.put(path, content);
    }

    /// Changes a file of the new version; what is changed must be there.
    fn change(&mut self, path: &str, from: &str, to: &str) {
        let path = self.named(path);
        let content = self.new.get_mut(&path).expect("a file of the base");
        assert!(content.contains(from), "`{from}` is not in {path}");
        *content = content.replace(from, to);
    }

    /// Takes a file out of the new version.
    fn remove(&mut self, path: &str) {
        let path = self.named(path);
        self.new.remove(&path).expect("a file of the base");
    }

    /// Adds to what the shortcode shows, in both versions.
    fn show(&mut self, html: &str) {
        for files in [&mut self.old, &mut self.new] {
            let shown = files.get_mut(base::TEMPLATE).expect("a file of the base");
            shown.push_str(html);
        }
    }

    /// The file that WordPress loads.
    fn main(&self) -> String {
        if self.is_theme {
            "functions.php".to_owned()
        } else {
            format!("{}.php", self.slug)
        }
    }

    fn named(&self, path: &str) -> String {
        path.replace("@slug", &self.slug)
    }

    /// The files with all names filled in.
    fn files(&self, files: &Files, version: &str) -> Vec<(String, Vec<u8>)> {
        let class: String = self
            .prefix
            .split('_')
            .map(|word| word[..1].to_ascii_uppercase() + &word[1..])
            .collect::<Vec<_>>()
            .join("_");
        let filled = |text: &str| {
            text.replace("@slug", &self.slug)
                .replace("@Class", &class)
                .replace("@PREFIX", &self.prefix.to_ascii_uppercase())
                .replace("@prefix", &self.prefix)
                .replace("@version", version)
        };
        files
            .iter()
            .map(|(path, content)| (filled(path), filled(content).into_bytes()))
            .collect()
    }
}
