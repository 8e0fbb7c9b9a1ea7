//! Whose a directory of a host is.

use super::{Remote, Result, script::Script};
use std::time::Duration;

const LOOK: Script = Script {
    text: include_str!("look.sh"),
    deadline: Duration::from_secs(30),
    as_root: true,
};

/// A directory as the login user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Its path without links.
    pub path: String,
    /// The name of the user it belongs to.
    pub owner: String,
}

impl Remote {
    /// Asks whose a directory is; `None` when there is none, or the user who works there
    /// cannot look into it.
    pub async fn directory(&self, path: &str) -> Result<Option<Directory>> {
        let answer = LOOK.ask(self, &[path], &mut tokio::io::empty()).await?;
        Ok(parse(&answer))
    }
}

fn parse(answer: &str) -> Option<Directory> {
    let value = |name: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.strip_prefix(' ')?.to_owned())
    };
    let (path, owner) = value("path").zip(value("owner"))?;
    (path.starts_with('/') && super::address::is_user(&owner)).then_some(Directory { path, owner })
}

#[cfg(test)]
mod tests {
    use super::{Directory, parse};

    #[test]
    fn reads_whose_a_directory_is() {
        let shop = Directory {
            path: "/home/shop/my www".into(),
            owner: "shop".into(),
        };
        let said = "user deploy\npath /home/shop/my www\nowner shop\n";
        assert_eq!(parse(said), Some(shop));
        for said in [
            "user deploy\n",
            "user deploy\npath relative\nowner shop\n",
            "user deploy\npath /srv\nowner a b\n",
            "",
        ] {
            assert_eq!(parse(said), None, "{said}");
        }
    }
}
