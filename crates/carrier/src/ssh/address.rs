//! Whom to log in as, on which machine, at which port.

use std::{fmt, net::IpAddr, str::FromStr};

/// The port of SSH.
const PORT: u16 = 22;

/// An account on a machine: `user@host`, `user@host:port`, `user@[2001:db8::1]:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    user: String,
    host: String,
    port: u16,
}

impl Address {
    /// The account `user` of a host, by name or by number, without brackets.
    pub fn new(user: &str, host: &str, port: u16) -> Result<Self, BadAddress> {
        if !is_user(user) {
            return Err(BadAddress::User);
        }
        if !is_host(host) {
            return Err(BadAddress::Host);
        }
        if port == 0 {
            return Err(BadAddress::Port);
        }
        Ok(Self {
            user: user.to_owned(),
            host: host.to_owned(),
            port,
        })
    }

    /// The login user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The host, by name or by number.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (user, rest) = text.rsplit_once('@').ok_or(BadAddress::NoUser)?;
        let (host, port) = if let Some(bracketed) = rest.strip_prefix('[') {
            let (host, after) = bracketed.split_once(']').ok_or(BadAddress::Host)?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port),
                None if after.is_empty() => None,
                None => return Err(BadAddress::Port),
            };
            (host, port)
        } else if rest.matches(':').count() > 1 {
            // Without brackets nobody can tell a port from the last group.
            (rest, None)
        } else {
            match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            }
        };
        let port = match port {
            // No sign, which the number's own reading would take.
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().map_err(|_| BadAddress::Port)?
            }
            Some(_) => return Err(BadAddress::Port),
            None => PORT,
        };
        Self::new(user, host, port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, host, port } = self;
        match (host.contains(':'), *port) {
            (false, PORT) => write!(f, "{user}@{host}"),
            (false, port) => write!(f, "{user}@{host}:{port}"),
            (true, PORT) => write!(f, "{user}@[{host}]"),
            (true, port) => write!(f, "{user}@[{host}]:{port}"),
        }
    }
}

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It names nobody to log in as.
    #[error("the login user is missing; write `user@host` or `user@host:port`")]
    NoUser,
    /// No Unix user is called so.
    #[error(
        "the login user may have letters, digits, `.`, `_` and `-`, and begins with none of the last two"
    )]
    User,
    /// No machine is called so.
    #[error("the host must be a name, an IPv4 address, or an IPv6 address in brackets")]
    Host,
    /// Not a port.
    #[error("the port must be a number from 1 to 65535")]
    Port,
}

/// Whether it can be the name of a Unix user. Nothing in it means anything to a shell.
pub(super) fn is_user(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !name.starts_with(['-', '.'])
}

fn is_host(host: &str) -> bool {
    if host.contains(':') {
        return host.parse::<IpAddr>().is_ok();
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    // `127.1` and `0x7f000001` are numbers too, in ways that hide which one.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && host.parse::<IpAddr>().is_err() {
        return false;
    }
    host.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::{Address, BadAddress};
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes_addresses() {
        for (text, host, port) in [
            ("deploy@web1", "web1", 22),
            ("deploy@web1.example.org:2222", "web1.example.org", 2222),
            ("deploy@192.0.2.7", "192.0.2.7", 22),
            ("deploy@[2001:db8::1]:2222", "2001:db8::1", 2222),
            ("deploy@[2001:db8::1]", "2001:db8::1", 22),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
            assert_eq!(address.to_string(), text);
        }
        let bare: Address = "deploy@2001:db8::1".parse().unwrap();
        assert_eq!(bare.to_string(), "deploy@[2001:db8::1]");
    }

    #[test]
    fn refuses_what_is_none() {
        for (text, why) in [
            ("web1", BadAddress::NoUser),
            ("@web1", BadAddress::User),
            ("-oProxyCommand=id@web1", BadAddress::User),
            ("a b@web1", BadAddress::User),
            ("a$(id)@web1", BadAddress::User),
            ("deploy@", BadAddress::Host),
            ("deploy@-web", BadAddress::Host),
            ("deploy@web 1", BadAddress::Host),
            ("deploy@web..1", BadAddress::Host),
            ("deploy@[web]x", BadAddress::Port),
            ("deploy@[::1", BadAddress::Host),
            ("deploy@1:2:3", BadAddress::Host),
            ("deploy@127.1", BadAddress::Host),
            ("deploy@2130706433", BadAddress::Host),
            ("deploy@0x7f000001", BadAddress::Host),
            ("deploy@web1:0", BadAddress::Port),
            ("deploy@web1:+22", BadAddress::Port),
            ("deploy@web1:", BadAddress::Port),
            ("deploy@web1:65536", BadAddress::Port),
        ] {
            assert_eq!(text.parse::<Address>(), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_and_read_again(text in "[a-z@:.\\[\\]0-9-]{0,40}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
            }
        }
    }
}
