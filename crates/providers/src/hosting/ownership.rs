//! Owners and modes, held against what they were made as. Looked at, never mended:
//! somebody may have had a reason.

use super::{
    Isolation, LocalHosting, Result,
    home::MODE,
    layout::conf_names,
    stack::Serving,
    unix_user::{self, web_account},
    web::Described,
};
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// How a path should be.
struct Should {
    path: PathBuf,
    uid: u32,
    gid: Option<u32>,
    /// Mode bits that are looked at, and how they should be.
    mask: u32,
    mode: u32,
    /// Whether it may be missing.
    optional: bool,
}

/// What is not as it should be, each in a sentence; sorted by path.
pub fn wrong(hosting: &LocalHosting) -> Result<Vec<String>> {
    let mut found: Vec<String> = expected(hosting)?.iter().filter_map(look).collect();
    if hosting.config().isolation == Isolation::UnixUsers {
        for described in Described::readable(hosting)? {
            let Some(user) = &described.site.user else {
                continue;
            };
            let home = unix_user::home_of(&user.name)?;
            if home
                .as_deref()
                .is_some_and(|home| home != described.site.home)
            {
                found.push(format!(
                    "the home of user `{}` is not `{}` in /etc/passwd, set it with `usermod --home`",
                    user.name,
                    described.site.home.display()
                ));
            }
        }
    }
    Ok(found)
}

fn expected(hosting: &LocalHosting) -> Result<Vec<Should>> {
    let layout = hosting.layout();
    let isolated = hosting.config().isolation == Isolation::UnixUsers;
    let stack = hosting.serving()? == Serving::Stack;
    let me = rustix::process::geteuid().as_raw();
    let own = |path: PathBuf, mask, mode| Should {
        path,
        uid: me,
        gid: None,
        mask,
        mode,
        optional: true,
    };
    let passable = if isolated { 0o711 } else { 0o700 };
    let mut all = Vec::new();
    for dir in [
        layout.dir.clone(),
        layout.logs(),
        layout.access_logs(),
        layout.mariadb(),
        layout.nginx(),
        layout.fpm(),
    ] {
        all.push(own(dir, 0o7777, passable));
    }
    for dir in [
        layout.sites(),
        layout.pools(),
        layout.descriptions(),
        layout.php(),
    ] {
        all.push(own(dir, 0o7777, 0o700));
    }
    let mut files = vec![
        layout.nginx_conf(),
        layout.fpm_conf(),
        layout.admin_password(),
        layout.dir.join("instance"),
    ];
    files.extend(
        conf_names(&layout.pools())?
            .iter()
            .map(|name| layout.pool(name)),
    );
    files.extend(
        conf_names(&layout.sites())?
            .iter()
            .map(|name| layout.site(name)),
    );
    all.extend(files.into_iter().map(|file| own(file, 0o7077, 0)));

    let web = isolated.then(web_account).transpose()?;
    for described in Described::readable(hosting)? {
        let site = described.site;
        all.push(own(layout.described(&site.domain), 0o7077, 0));
        let owner = site.user.as_ref().map_or(me, |user| user.uid);
        all.push(Should {
            path: site.home.clone(),
            uid: owner,
            gid: web.as_ref().map(|web| web.gid),
            mask: 0o7777,
            mode: MODE,
            optional: false,
        });
        if stack {
            all.push(Should {
                path: layout.pool_socket(&site.key())?,
                uid: web.as_ref().map_or(me, |web| web.uid),
                gid: site.user.as_ref().map(|user| user.gid),
                mask: 0o777,
                mode: 0o660,
                // php-fpm may be down, which is told elsewhere.
                optional: true,
            });
        }
        if let Some(tls) = site.tls {
            // Its group may be an operator's choice.
            all.push(own(tls.key, 0o007, 0));
        }
    }
    all.sort_by(|left, right| left.path.cmp(&right.path));
    all.dedup_by(|left, right| left.path == right.path);
    Ok(all)
}

fn look(should: &Should) -> Option<String> {
    let path = should.path.display();
    let data = match fs::symlink_metadata(&should.path) {
        Ok(data) => data,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return (!should.optional).then(|| format!("`{path}` is missing"));
        }
        Err(error) => return Some(format!("`{path}` cannot be looked at: {error}")),
    };
    if data.file_type().is_symlink() {
        return linked(should);
    }
    let right_group = should.gid.is_none_or(|gid| gid == data.gid());
    if data.uid() != should.uid || !right_group {
        let group = should.gid.map(|gid| format!(":{gid}")).unwrap_or_default();
        return Some(format!(
            "`{path}` belongs to {}:{}, give it back with `chown {}{group} {path}`",
            data.uid(),
            data.gid(),
            should.uid
        ));
    }
    if data.mode() & should.mask != should.mode {
        let mode = (data.mode() & 0o7777 & !should.mask) | should.mode;
        return Some(format!(
            "`{path}` has the mode {:03o}, mend it with `chmod {mode:03o} {path}`",
            data.mode() & 0o7777
        ));
    }
    None
}

/// Certificates are mostly links; everything else of ours never is.
fn linked(should: &Should) -> Option<String> {
    let path = &should.path;
    if should.mask != 0o007 {
        return Some(format!("`{}` is a link, it should not be", path.display()));
    }
    let target: Option<PathBuf> = fs::canonicalize(path).ok();
    let open = target.as_deref().is_some_and(|target: &Path| {
        fs::metadata(target).is_ok_and(|data| data.mode() & 0o007 != 0)
    });
    open.then(|| {
        format!(
            "`{}` can be read by everybody, mend it with `chmod o= {0}`",
            path.display()
        )
    })
}
