//! What surrounds every page.

use crate::prose::Prose;
use pressroom_fleet::sessions::Session;

/// The frame of a page: its title and the bar above it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) section: Section,
    pub(crate) signed_in: Option<SignedIn>,
    /// What whoever runs the installation should look after.
    pub(crate) banner: Option<Prose>,
}

/// Which entry of the navigation is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Sites,
    Updates,
    Jobs,
    People,
    None,
}

/// What the frame shows of the person signed in.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) csrf: String,
}

impl From<&Session> for SignedIn {
    fn from(session: &Session) -> Self {
        let user = &session.user;
        let name = if user.name.is_empty() {
            &user.email
        } else {
            &user.name
        };
        Self {
            name: name.clone(),
            email: user.email.clone(),
            csrf: session.csrf.expose().clone(),
        }
    }
}

impl Frame {
    /// The frame for somebody who is not signed in.
    pub(crate) fn outside(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            section: Section::None,
            signed_in: None,
            banner: None,
        }
    }

    /// The token that every form of the page carries.
    pub(crate) fn csrf(&self) -> &str {
        self.signed_in
            .as_ref()
            .map_or("", |signed_in| signed_in.csrf.as_str())
    }

    fn current(&self, section: Section) -> &'static str {
        if self.section == section {
            "page"
        } else {
            "false"
        }
    }

    /// `aria-current` of the entry for sites.
    pub(crate) fn sites(&self) -> &'static str {
        self.current(Section::Sites)
    }

    /// `aria-current` of the entry for updates.
    pub(crate) fn updates(&self) -> &'static str {
        self.current(Section::Updates)
    }

    /// `aria-current` of the entry for jobs.
    pub(crate) fn jobs(&self) -> &'static str {
        self.current(Section::Jobs)
    }

    /// `aria-current` of the entry for people.
    pub(crate) fn people(&self) -> &'static str {
        self.current(Section::People)
    }
}
