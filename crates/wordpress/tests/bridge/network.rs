//! What only networks have.

use crate::lab::{Lab, read};
use pressroom_wordpress::bridge::{self, Action, BridgeOptions, UserRef, outcomes::*};
use serde_json::json;

fn at(blog: u64, inner: Action) -> Action {
    Action::At {
        blog,
        inner: Box::new(inner),
    }
}

pub fn everything(lab: &Lab, second: &str) {
    blogs(lab, second);
    places(lab);
    people(lab);
}

fn blogs(lab: &Lab, second: &str) {
    let list = |after| Action::ListBlogs {
        search: None,
        after,
        limit: 10,
        details: true,
    };
    let page: BlogPage = lab.ok(list(1));
    assert_eq!((page.total, page.blogs.len()), (2, 1));
    assert_eq!(page.blogs[0].home.as_deref(), Some(second));
    let create = |slug: &str| Action::CreateBlog {
        slug: slug.into(),
        title: "Third & last".into(),
        admin: UserRef::Login("admin".into()),
        public: false,
    };
    let third: Blog = lab.ok(create("third"));
    assert_eq!(
        third.home.as_deref(),
        Some(second.replace("second", "third").as_str())
    );
    assert_eq!(
        lab.sql(&format!(
            "SELECT option_value FROM wp_{}_options WHERE option_name = 'blog_public'",
            third.id
        )),
        "0"
    );
    assert_eq!(lab.refused(create("third")), "blog_taken");
    assert_eq!(lab.refused(create("No way")), "bad_slug");
}

/// Where an action acts: in a switched blog, or in one that was started in.
fn places(lab: &Lab) {
    lab.site
        .plugin("second-only", "1.0", "add_filter('option_blogname', function ($name) { return $name . ' filtered'; }); register_activation_hook(__FILE__, function () { update_option('made_in', get_current_blog_id()); });")
        .unwrap();
    let booted = BridgeOptions {
        blog: Some(2),
        ..BridgeOptions::default()
    };
    let activate = Action::ActivatePlugins {
        plugins: vec!["second-only".into()],
        network_wide: false,
        silent: false,
    };
    // Its own code is needed: refused in a switched blog, done by `run_each`.
    let actions = [at(2, activate), at(77, Action::SiteInfo)];
    let report = lab.run(&actions);
    assert_eq!(report.outcomes[0].code.as_deref(), Some("needs_own_boot"));
    assert_eq!(report.outcomes[1].code.as_deref(), Some("blog_missing"));
    let report = bridge::run_each(lab.place(), &actions[..1], &crate::lab::patient()).unwrap();
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(
        lab.sql("SELECT option_value FROM wp_2_options WHERE option_name = 'made_in'"),
        "2"
    );
    assert!(
        lab.sql("SELECT option_value FROM wp_2_options WHERE option_name = 'active_plugins'")
            .contains("second-only")
    );
    assert!(!lab.option("active_plugins").contains("second-only"));

    let title = |network| Action::GetOption {
        name: "blogname".into(),
        network,
    };
    let switched: OptionTold = lab.ok(at(2, title(false)));
    assert_eq!((switched.value, switched.differs), (json!("Second"), false));
    let report = lab.run_with(&[title(false)], &booted);
    let started: OptionTold = read(&report.outcomes[0]);
    assert_eq!(
        (started.value, started.differs),
        (json!("Second filtered"), true)
    );

    // The network's options, and one blog after the other in one start.
    let set = |network, value: &str| Action::SetOption {
        name: "press_place".into(),
        value: json!(value),
        autoload: None,
        network,
        force: false,
    };
    let report = lab.run(&[
        set(true, "network"),
        at(2, set(false, "two")),
        set(false, "one"),
        at(1, set(false, "still one")),
    ]);
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(
        lab.sql("SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'press_place'"),
        "network"
    );
    assert_eq!(
        lab.sql("SELECT option_value FROM wp_2_options WHERE option_name = 'press_place'"),
        "two"
    );
    assert_eq!(lab.option("press_place"), "still one");
}

fn people(lab: &Lab) {
    let user = || UserRef::Login("second".into());
    let add = at(
        2,
        Action::AddUserToBlog {
            user: user(),
            role: "editor".into(),
        },
    );
    assert_eq!(lab.ok::<User>(add).roles, ["editor"]);
    let caps = || {
        lab.sql("SELECT meta_value FROM wp_usermeta JOIN wp_users ON ID = user_id WHERE user_login = 'second' AND meta_key = 'wp_2_capabilities'")
    };
    assert!(caps().contains("editor"));
    let page: UserPage = lab.ok(at(
        2,
        Action::ListUsers {
            role: Some("editor".into()),
            search: None,
            offset: 0,
            limit: 5,
            network: false,
        },
    ));
    assert_eq!(page.users[0].login, "second");
    let gone: UserDeleted = lab.ok(at(
        2,
        Action::RemoveUserFromBlog {
            user: user(),
            reassign: None,
        },
    ));
    assert!(!gone.account_gone);
    assert_eq!(caps(), "");

    let set = |granted| Action::SetSuperAdmin {
        user: user(),
        granted,
    };
    let admins = || lab.sql("SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'site_admins'");
    assert!(lab.ok::<User>(set(true)).super_admin);
    assert!(admins().contains("second"));
    let delete = Action::DeleteUser {
        user: user(),
        reassign: None,
        delete_content: true,
        network: true,
    };
    assert_eq!(lab.refused(delete), "super_admin");
    assert!(!lab.ok::<User>(set(false)).super_admin);
    assert!(!admins().contains("second"));
}
