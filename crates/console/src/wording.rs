//! Stored names as people say them.

/// What a kind of job does.
pub(crate) fn job_kind(kind: &str) -> String {
    match kind {
        "site_install" => "Install WordPress".to_owned(),
        "site_login" => "Log in to WordPress".to_owned(),
        "component_update" => "Update components".to_owned(),
        other => from_snake(other),
    }
}

/// A step's name.
pub(crate) fn step(name: &str) -> String {
    from_snake(name)
}

/// `3 sites`, `1 site`, `no sites`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// A member of a result, as its label.
pub(crate) fn member(name: &str) -> String {
    match name {
        "url" => "Address".to_owned(),
        "admin_user" => "Administrator".to_owned(),
        other => from_snake(other),
    }
}

fn from_snake(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut rest = name.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_words() {
        assert_eq!(step("swap_in"), "Swap in");
        assert_eq!(job_kind("site_install"), "Install WordPress");
        assert_eq!(count(0, "site"), "no sites");
    }
}
