//! Every WordPress of a host whose login user may look everywhere.

use super::{Remote, Result, address::is_user, script::Script};
use std::time::Duration;

const FIND: Script = Script {
    text: include_str!("find.sh"),
    deadline: Duration::from_mins(2),
    as_root: true,
};

/// A WordPress that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSite {
    /// Its directory.
    pub root: String,
    /// The name of the user it belongs to.
    pub owner: String,
    /// Whether it has a `wp-config.php`.
    pub configured: bool,
    /// `$wp_version`, when that is a plain text.
    pub version: Option<String>,
}

impl Remote {
    /// Looks for WordPress in people's homes, `/home`, `/srv` and `/var/www`, five
    /// levels deep. Nothing of what is found is run.
    pub async fn find_sites(&self) -> Result<Vec<FoundSite>> {
        let answer = FIND.ask(self, &[], &mut tokio::io::empty()).await?;
        Ok(answer.lines().filter_map(parse).collect())
    }
}

fn parse(line: &str) -> Option<FoundSite> {
    let mut words = line.strip_prefix("site ")?.splitn(4, ' ');
    let owner = words.next().filter(|owner| is_user(owner))?;
    let configured = words.next()? == "yes";
    let version = words.next().filter(|version| *version != "-");
    let root = words.next().filter(|root| root.starts_with('/'))?;
    Some(FoundSite {
        root: root.to_owned(),
        owner: owner.to_owned(),
        configured,
        version: version.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::{FoundSite, parse};

    #[test]
    fn reads_one_site_a_line() {
        let site = |version: Option<&str>, configured| FoundSite {
            root: "/home/shop/my www".into(),
            owner: "shop".into(),
            configured,
            version: version.map(str::to_owned),
        };
        assert_eq!(
            parse("site shop yes 6.5.5 /home/shop/my www"),
            Some(site(Some("6.5.5"), true))
        );
        assert_eq!(
            parse("site shop no - /home/shop/my www"),
            Some(site(None, false))
        );
        for bad in [
            "site a;b yes 6.5 /home/shop",
            "site shop yes 6.5 relative",
            "site shop",
            "sites shop yes 6.5 /home/shop",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
