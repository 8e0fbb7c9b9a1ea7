//! What is to be looked at, and how.

use crate::{
    address::Home,
    impression::{Chosen, Impression, Page, Pictures, Shot},
};
use pressroom_base::Secret;
use std::{collections::BTreeMap, time::Duration};
use url::Url;

/// What a look is to see. Nothing in it is secret but the cookie.
#[derive(Debug)]
pub struct Plan {
    /// The site's address, as its pages mean it.
    pub home: Url,
    /// Other hosts (with their port, unless it is the usual one) that pages mean this site
    /// by: the site that a clone is of.
    pub also: Vec<String>,
    /// Paths below the home that are always looked at.
    pub paths: Vec<String>,
    /// Pages that are chosen from the sitemap at most.
    pub sitemap_pages: usize,
    /// `name=value` of the cookies of somebody who may see wp-admin.
    pub as_admin: Option<Secret<String>>,
    /// How often each page is asked for: what differs between these does so by itself. One that
    /// is as it was in an earlier look is asked for once.
    pub repeats: usize,
    /// Whether each page is also asked for as visitors get it, from whatever cache there is.
    pub served: bool,
    /// Whether pictures are taken.
    pub pictures: bool,
    /// Pages that a picture is taken of at most.
    pub picture_pages: usize,
    /// How often each picture is taken at most; two that are alike are enough.
    pub shots: usize,
    /// The pictures of an earlier look: one that is like one of them is enough.
    pub shown: Vec<Shot>,
    /// Pages of an earlier look, which are looked at instead of chosen ones.
    pub pages: Vec<Chosen>,
    /// How the pages of an earlier look were. One that is much slower now is asked again, alone:
    /// the machine may have been busy.
    pub known: BTreeMap<Chosen, Page>,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long all of it may take; what is not reached by then is left out.
    pub patience: Duration,
}

impl Plan {
    /// The usual look at a site.
    pub fn new(home: Url) -> Self {
        Self {
            home,
            also: Vec::new(),
            paths: vec!["/".to_owned()],
            sitemap_pages: 6,
            as_admin: None,
            repeats: 3,
            served: true,
            pictures: true,
            picture_pages: 4,
            shots: 3,
            shown: Vec::new(),
            pages: Vec::new(),
            known: BTreeMap::new(),
            timeout: Duration::from_secs(20),
            patience: Duration::from_mins(4),
        }
    }

    /// Looks at the same pages as an earlier look, so that the two can be compared.
    #[must_use]
    pub fn again(mut self, before: &Impression) -> Self {
        self.pages = before.chosen().cloned().collect();
        let known = |page: &Page| (page.chosen.clone(), page.clone());
        self.known = before.pages.iter().map(known).collect();
        if let Pictures::Made { shots, .. } = &before.pictures {
            self.shown.clone_from(shots);
        }
        self
    }

    pub(crate) fn site(&self) -> Home {
        Home::new(self.home.clone(), &self.also)
    }
}
