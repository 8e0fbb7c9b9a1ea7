//! What visitors of a site get: its name, its certificate, its pages.

mod certificate;
mod names;
mod visit;

pub use certificate::{Certificate, Certificates};
pub use names::{NameServer, Names, Records};
pub use visit::{Refused, Visit, Visitor};

use crate::{address::Allowed, probe::Prober};

/// Looks at sites from where their visitors are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lookout {
    /// Asks pages.
    pub visitor: Visitor,
    /// Looks at certificates.
    pub certificates: Certificates,
    /// Looks names up.
    pub names: Names,
}

impl Lookout {
    /// Trusts what this machine trusts. Private addresses may be asked as far as
    /// they are allowed, or registered with the prober.
    pub fn new(prober: &Prober, names: NameServer, allowed: Allowed) -> Self {
        Self {
            visitor: Visitor::new(prober, allowed),
            certificates: Certificates::of_machine(),
            names: Names::new(names),
        }
    }
}
