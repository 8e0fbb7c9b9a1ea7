//! What is refused: a worker whose time has passed, and what is not in the home.

use super::lab::{EPOCH, PHP, Real, names};
use pressroom_agent::protocol::{Boot, RefusalCode, SiteRef};
use pressroom_base::Epoch;
use pressroom_carrier::Error;
use pressroom_wordpress::bridge::Action;
use std::time::Duration;

/// Ends what this site may be used for: a higher epoch has been here afterwards.
pub async fn everything(real: &Real) {
    outside(real).await;
    for failed in attempts(real, EPOCH, "absent", PHP).await {
        assert_eq!(failed.code(), Some(RefusalCode::Missing), "{failed:?}");
    }
    let started = attempts(real, EPOCH, real.root(), "/nowhere/php").await;
    for failed in &started[1..] {
        assert_eq!(failed.code(), Some(RefusalCode::NoPhp), "{failed:?}");
    }
    stale(real).await;
}

async fn outside(real: &Real) {
    for root in ["../other", "/etc", "public_html/../../x"] {
        for failed in attempts(real, EPOCH, root, PHP).await {
            assert_eq!(failed.code(), Some(RefusalCode::BadPath), "{failed:?}");
        }
        let site = || SiteRef {
            root: root.into(),
            php: Some(PHP.into()),
        };
        let failed = real.session.read_config(site()).await.unwrap_err();
        assert_eq!(failed.code(), Some(RefusalCode::BadPath), "{failed:?}");
        let failed = real.session.survey(site(), &[]).await.unwrap_err();
        assert_eq!(failed.code(), Some(RefusalCode::BadPath), "{failed:?}");
        let failed = real.session.maintenance(root).await.unwrap_err();
        assert_eq!(failed.code(), Some(RefusalCode::BadPath), "{failed:?}");
        let failed = real.session.bridge(None, root, PHP, Vec::new()).await;
        assert_eq!(failed.unwrap_err().code(), Some(RefusalCode::BadPath));
    }
}

async fn stale(real: &Real) {
    let config = std::fs::read(real.site.path().join("wp-config.php")).unwrap();
    let stored = real.active();
    let theme = real.option("stylesheet");
    real.session
        .recover(Epoch::new(EPOCH.get() + 1))
        .await
        .unwrap();
    for failed in attempts(real, EPOCH, real.root(), PHP).await {
        assert!(failed.is_fenced(), "{failed:?}");
    }
    assert_eq!(
        std::fs::read(real.site.path().join("wp-config.php")).unwrap(),
        config
    );
    assert_eq!(real.active(), stored);
    assert_eq!(real.option("stylesheet"), theme);
    // It may look.
    let looked = real
        .session
        .bridge(None, real.root(), PHP, vec![Action::SiteInfo])
        .await
        .unwrap();
    assert!(looked.is_ok(), "{looked:?}");
    real.session.survey(real.site_ref(), &[]).await.unwrap();
}

/// Every writing operation that starts WordPress, and maintenance first.
async fn attempts(real: &Real, epoch: Epoch, root: &str, php: &str) -> Vec<Error> {
    let session = &real.session;
    let boot = || Boot::new(root, php);
    let flush = || vec![Action::FlushObjectCache];
    let lease = Duration::from_secs(5);
    let tried = [
        session
            .renew_maintenance(epoch, root, lease)
            .await
            .map(drop),
        session
            .bridge_with(Some(epoch), boot(), flush())
            .await
            .map(drop),
        session
            .bridge_each(Some(epoch), boot(), flush())
            .await
            .map(drop),
        session
            .activate_plugins(epoch, boot(), names(&["good"]), false)
            .await
            .map(drop),
        session.switch_theme(epoch, boot(), "wild").await.map(drop),
        session
            .upgrade_databases(epoch, boot(), false, 10)
            .await
            .map(drop),
        session.run_cron(epoch, boot(), 0).await.map(drop),
    ];
    tried.into_iter().map(Result::unwrap_err).collect()
}
