//! What is read without starting WordPress.

use super::lab::{EPOCH, PHP, Real, names};
use pressroom_agent::protocol::{RefusalCode, SiteRef};
use pressroom_wordpress::{
    Watch,
    archive::{self, Format, Limits, PackOptions, PackerOptions, TreeOptions},
    component::{ComponentKind, Target},
    config::{ConfigValue, Edit},
    maintenance::Maintenance,
};
use std::time::Duration;

/// One call tells the same as the two that it replaces, and what is in use besides.
pub async fn survey(real: &Real) {
    let inspected = real.session.inspect(real.root()).await.unwrap();
    let facts = real
        .session
        .read_site(real.root(), &["admin_email"])
        .await
        .unwrap();
    let survey = real.session.survey(real.site_ref(), &["admin_email"]);
    let mut survey = survey.await.unwrap();
    assert_eq!(survey.trouble, None);
    assert_eq!(survey.facts.as_ref(), Some(&facts));
    assert_eq!(facts.options["admin_email"], "admin@example.test");
    assert_eq!(facts.network.is_some(), real.is_network());
    let components = &mut survey.inspection.components;
    assert!(components.iter().all(|found| found.active.is_some()));
    let theme = components
        .iter()
        .find(|found| found.kind == ComponentKind::Theme && found.active == Some(true))
        .expect("an active theme");
    assert_eq!(theme.slug, real.option("stylesheet"));
    for found in components {
        found.active = None;
        found.network_active = None;
        found.active_on = Vec::new();
        for other in &mut found.others {
            other.active = None;
        }
    }
    assert_eq!(survey.inspection, inspected);
}

/// Files are told even so, and what is in use is unknown, not "nothing".
pub async fn a_site_whose_database_is_down(real: &Real) {
    let host = |value: &str| {
        vec![Edit::Set {
            name: "DB_HOST".into(),
            value: ConfigValue::Text(value.into()),
        }]
    };
    let edit = |edits| real.session.edit_config(EPOCH, real.site_ref(), edits);
    let edited = edit(host("localhost:/nowhere/sock")).await.unwrap();
    assert!(edited.changed && edited.linted);
    let survey = real.session.survey(real.site_ref(), &[]).await.unwrap();
    assert_eq!(survey.facts, None);
    assert!(survey.trouble.is_some());
    assert!(survey.inspection.version.is_some());
    let found = &survey.inspection.components;
    assert!(!found.is_empty() && found.iter().all(|found| found.active.is_none()));
    let started = real
        .session
        .bridge(None, real.root(), PHP, Vec::new())
        .await
        .unwrap();
    assert!(started.fatal.is_some(), "{started:?}");
    edit(host(&real.site.database.host())).await.unwrap();
    let survey = real.session.survey(real.site_ref(), &[]).await.unwrap();
    assert_eq!(survey.trouble, None);
}

/// Read where that does, run where it does not, edited and read again.
pub async fn configuration(real: &Real) {
    let set = |code: &str| Edit::Block {
        name: "test".into(),
        code: code.into(),
    };
    let computed = "define( 'WP_HOME', strrev( 'tset.elpmaxe//:ptth' ) );";
    let edits = vec![set(computed)];
    let edited = real
        .session
        .edit_config(EPOCH, real.site_ref(), edits)
        .await
        .unwrap();
    assert!(edited.changed && edited.linted && edited.backup.is_some());
    let settings = real.session.read_config(real.site_ref()).await.unwrap();
    assert_eq!(settings.table_prefix.as_deref(), Some("wp_"));
    assert_eq!(settings.multisite, Some(real.is_network()));
    let listing = real.session.list_config(real.site_ref()).await.unwrap();
    let home = listing.constants.iter().find(|it| it.name == "WP_HOME");
    let told = home.and_then(|home| home.value.clone());
    assert_eq!(told, Some(ConfigValue::Text("http://example.test".into())));
    let unread = SiteRef {
        php: None,
        ..real.site_ref()
    };
    let listing = real.session.list_config(unread).await.unwrap();
    let home = listing.constants.iter().find(|it| it.name == "WP_HOME");
    assert_eq!(home.map(|home| home.value.clone()), Some(None));
    // What PHP would not read is refused, and the file is as it was.
    let refused = real
        .session
        .edit_config(EPOCH, real.site_ref(), vec![set("this is ( no PHP;")])
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(RefusalCode::BadInput), "{refused:?}");
    let gone = Edit::RemoveBlock {
        name: "test".into(),
    };
    let edited = real
        .session
        .edit_config(EPOCH, real.site_ref(), vec![gone])
        .await
        .unwrap();
    assert!(edited.changed);
}

/// Hashed by what they are, not by where they are; a single file too.
pub async fn components(real: &Real) {
    let target = |kind, slug: &str| Target {
        root: real.root().into(),
        kind,
        slug: slug.into(),
    };
    real.site.plugin("hashed", "1.0", "").unwrap();
    let plugin = target(ComponentKind::Plugin, "hashed");
    let hash = real.session.hash_component(plugin).await.unwrap();
    let path = format!("{}/wp-content/plugins/hashed", real.root());
    assert_eq!(hash, real.session.tree_hash(&path).await.unwrap());
    assert_eq!(hash.expect("a tree").files, 1);
    real.site
        .write(
            "wp-content/plugins/single.php",
            "<?php // Plugin Name: Single",
        )
        .unwrap();
    let single = target(ComponentKind::Plugin, "single.php");
    let hash = real.session.hash_component(single).await.unwrap();
    assert_eq!(hash.expect("a file").files, 1);
    for (kind, slug) in [
        (ComponentKind::Plugin, "absent"),
        (ComponentKind::Theme, "hashed"),
    ] {
        let hash = real.session.hash_component(target(kind, slug)).await;
        assert_eq!(hash.unwrap(), None);
    }
    for slug in ["../hashed", "", ".", "a/b"] {
        let refused = real
            .session
            .hash_component(target(ComponentKind::Plugin, slug));
        let refused = refused.await.unwrap_err();
        assert_eq!(refused.code(), Some(RefusalCode::BadPath), "{slug}");
    }
}

/// Entered, prolonged and left; a lease that is not there is not prolonged.
pub async fn maintenance(real: &Real) {
    let (session, root) = (&real.session, real.root());
    let file = real.site.path().join(".maintenance");
    assert_eq!(session.maintenance(root).await.unwrap(), Maintenance::Off);
    let lease = Duration::from_secs(100);
    let early = session.renew_maintenance(EPOCH, root, lease).await;
    assert_eq!(early.unwrap_err().code(), Some(RefusalCode::Missing));
    session.enter_maintenance(EPOCH, root, lease).await.unwrap();
    assert!(file.exists());
    let renewed = session
        .renew_maintenance(EPOCH, root, lease * 5)
        .await
        .unwrap();
    assert!(
        matches!(renewed, Maintenance::Leased { seconds_left } if seconds_left > 400),
        "{renewed:?}"
    );
    assert!(session.maintenance(root).await.unwrap().is_in_force());
    let left = session.leave_maintenance(EPOCH, root).await.unwrap();
    assert_eq!(left, Maintenance::Off);
    assert!(!file.exists());
}

/// One directory as an archive that holds what it says.
pub async fn archive(real: &Real) {
    let options = |source: String| PackOptions {
        packer: PackerOptions::new(Format::TarZst),
        prefix: "files".into(),
        tree: TreeOptions::new(&source),
    };
    let source = format!("{}/wp-content/themes", real.root());
    let mut bytes = Vec::new();
    let summary = real
        .session
        .pack(options(source), &mut bytes)
        .await
        .unwrap();
    let watch = Watch::unbounded();
    let limits = Limits::default();
    let checked = archive::verify(&mut bytes.as_slice(), &limits, &watch).unwrap();
    assert!(checked.has_manifest);
    assert!(summary.totals.files > 10, "{:?}", summary.totals);
    assert_eq!(names(&["files"]), [summary.trees[0].prefix.clone()]);
    for (source, code) in [
        ("../etc", RefusalCode::BadPath),
        ("absent", RefusalCode::Missing),
    ] {
        let refused = real
            .session
            .pack(options(source.into()), &mut Vec::new())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Some(code), "{refused:?}");
    }
}
