//! Which programs serve the sites of this machine.

use crate::hosting::{Error, Isolation, LocalHosting, Result, WebChoice};
use serde::Serialize;

/// Which programs serve the sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Serving {
    /// nginx and php-fpm.
    Stack,
    /// PHP's own server, one per domain: development mode.
    Php,
}

impl LocalHosting {
    /// Which programs serve the sites: what was chosen, or what this machine has.
    pub fn serving(&self) -> Result<Serving> {
        let config = self.config();
        let root = config.isolation == Isolation::UnixUsers;
        let programs = &config.programs;
        match config.web {
            WebChoice::Stack => Ok(Serving::Stack),
            WebChoice::Php if root => Err(Error::BadSite(
                "PHP's own server is for development and never run for sites of several users, \
                 run Pressroom as another user than root or choose nginx and php-fpm"
                    .into(),
            )),
            WebChoice::Php => Ok(Serving::Php),
            WebChoice::Auto if root => Ok(Serving::Stack),
            WebChoice::Auto => {
                let stack = programs.find_nginx().is_ok() && programs.find_php_fpm().is_ok();
                Ok(if stack { Serving::Stack } else { Serving::Php })
            }
        }
    }
}
