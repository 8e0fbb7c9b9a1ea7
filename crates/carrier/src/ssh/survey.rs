//! What a host is and has, as one script finds it.

use super::{Remote, Result, script::Script};
use std::time::{Duration, Instant};

const SURVEY: Script = Script {
    text: include_str!("survey.sh"),
    deadline: Duration::from_mins(1),
    as_root: true,
};

/// What a host is and has. All of it is what the host says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// `uname -s`.
    pub system: String,
    /// `uname -m`.
    pub machine: String,
    /// Who works there.
    pub user: String,
    /// That user's id.
    pub uid: Option<u32>,
    /// That user's home.
    pub home: String,
    /// Bytes that are free for the user's home.
    pub free_bytes: Option<u64>,
    /// Every PHP that was found, in the order of the search path.
    pub php: Vec<Php>,
    /// Web servers that run there.
    pub web_servers: Vec<String>,
    /// Whom the user may become without a password, as `sudo -l` names them.
    pub sudo: Vec<String>,
    /// From asking to an answer, over a connection that is open.
    pub latency: Duration,
}

/// A PHP of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Php {
    /// Its version.
    pub version: String,
    /// The program.
    pub path: String,
}

impl Remote {
    /// Looks at the host: what it is, what it has.
    pub async fn survey(&self) -> Result<Survey> {
        // What connecting takes is another matter.
        drop(self.hosts.channel(self.id, &self.route).await?);
        let asked = Instant::now();
        drop(self.hosts.channel(self.id, &self.route).await?);
        let latency = asked.elapsed();
        let answer = SURVEY.ask(self, &[], &mut tokio::io::empty()).await?;
        Ok(Survey {
            latency,
            ..Survey::parse(&answer)
        })
    }
}

impl Survey {
    fn parse(answer: &str) -> Self {
        let mut survey = Self::default();
        for line in answer.lines() {
            let Some((name, value)) = line.split_once(' ') else {
                continue;
            };
            let value = value.trim();
            match name {
                "system" => survey.system = value.into(),
                "machine" => survey.machine = value.into(),
                "user" => survey.user = value.into(),
                "uid" => survey.uid = value.parse().ok(),
                "home" => survey.home = value.into(),
                "free" => survey.free_bytes = value.parse().ok(),
                "php" => survey.add_php(value),
                "web" => survey.web_servers.push(value.to_owned()),
                "sudo" => survey.sudo.push(value.to_owned()),
                _ => {}
            }
        }
        survey
    }

    fn add_php(&mut self, found: &str) {
        let Some((version, path)) = found.split_once(' ') else {
            return;
        };
        let is_version = version.starts_with(|first: char| first.is_ascii_digit());
        if is_version && !self.php.iter().any(|known| known.path == path) {
            self.php.push(Php {
                version: version.to_owned(),
                path: path.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Php, Survey};

    #[test]
    fn reads_what_the_script_prints_and_nothing_else() {
        let survey = Survey::parse(
            "system Linux\nmachine x86_64\nuser shop\nuid 1001\nhome /home/shop\n\
             free 1048576\nphp 8.2.7 /usr/bin/php\nphp 8.2.7 /usr/bin/php\nphp Warning: x\n\
             php 7.4.33 /usr/bin/php7.4\nweb nginx\nsudo ALL : ALL\nnonsense\n",
        );
        let php = |version: &str, path: &str| Php {
            version: version.into(),
            path: path.into(),
        };
        assert_eq!(
            survey.php,
            [
                php("8.2.7", "/usr/bin/php"),
                php("7.4.33", "/usr/bin/php7.4")
            ]
        );
        assert_eq!(survey.uid, Some(1001));
        assert_eq!(survey.free_bytes, Some(1_048_576));
        assert_eq!(survey.sudo, ["ALL : ALL"]);
    }
}
