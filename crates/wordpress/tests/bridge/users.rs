//! Users, roles, sessions, application passwords.

use crate::lab::{Lab, read};
use pressroom_wordpress::bridge::{Action, UserRef, outcomes::*};

fn login(name: &str) -> UserRef {
    UserRef::Login(name.into())
}

fn create(name: &str, password: Option<&str>) -> Action {
    Action::CreateUser {
        login: name.into(),
        email: format!("{}@example.test", name.replace(['/', ' '], "")),
        password: password.map(Into::into),
        display_name: Some("O'Neil \\ \"x\"".into()),
        role: Some("author".into()),
    }
}

/// Whether the log-in form takes the password, as the form hands it on.
fn may_log_in(lab: &Lab, name: &str, password: &str) -> bool {
    let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
    lab.site
        .php(&format!(
            "$_POST = array('log' => '{name}', 'pwd' => wp_slash('{quoted}'));
             add_filter('send_auth_cookies', '__return_false');
             $user = wp_signon(); echo is_wp_error($user) ? $user->get_error_code() : 'in';"
        ))
        .unwrap()
        == "in"
}

pub fn accounts(lab: &Lab) {
    let hard = "pass'word\"\\with € all";
    let outcome = lab.one(create("writer", Some(hard)));
    assert_eq!(outcome.secret, None);
    let writer: User = read(&outcome);
    assert_eq!(writer.roles, ["author"]);
    assert_eq!(
        lab.sql("SELECT display_name FROM wp_users WHERE user_login = 'writer'"),
        r#"O'Neil \\ "x""#,
        "the client escapes the backslash"
    );
    assert!(may_log_in(lab, "writer", hard));
    assert!(!may_log_in(lab, "writer", "wrong"));

    // A generated password works, and only the outcome's own field has it.
    let outcome = lab.one(create("second", None));
    let secret = outcome.secret.clone().expect("a password");
    assert!(may_log_in(lab, "second", secret.reveal()));
    assert!(!format!("{outcome:?}").contains(secret.reveal()));
    assert!(!outcome.data.to_string().contains(secret.reveal()));
    assert!(!format!("{:?}", create("x", Some(hard))).contains("word"));

    assert_eq!(lab.refused(create("writer", None)), "existing_user_login");
    assert_eq!(
        lab.refused(create("no/such name", None)),
        "invalid_username"
    );
    let update =
        |role: Option<&str>, email: Option<&str>, password: Option<&str>| Action::UpdateUser {
            user: login("writer"),
            email: email.map(Into::into),
            password: password.map(Into::into),
            display_name: None,
            role: role.map(Into::into),
        };
    assert_eq!(
        lab.refused(update(Some("king"), None, None)),
        "invalid_role"
    );
    assert_eq!(
        lab.refused(update(None, Some("second@example.test"), None)),
        "existing_user_email"
    );
    let changed: User = lab.ok(update(Some("editor"), Some("w@example.test"), Some("new")));
    assert_eq!(changed.roles, ["editor"]);
    assert_eq!(
        lab.sql(&format!(
            "SELECT CONCAT(user_email, ' ', meta_value) FROM wp_users JOIN wp_usermeta ON user_id = ID WHERE meta_key = 'wp_capabilities' AND ID = {}",
            writer.id
        )),
        "w@example.test a:1:{s:6:\"editor\";b:1;}"
    );
    assert!(may_log_in(lab, "writer", "new"));
    let role = |add: bool, role: &str| {
        let (user, role) = (UserRef::Id(writer.id), role.to_owned());
        if add {
            Action::AddRole { user, role }
        } else {
            Action::RemoveRole { user, role }
        }
    };
    assert_eq!(
        lab.ok::<User>(role(true, "author")).roles,
        ["editor", "author"]
    );
    assert_eq!(lab.ok::<User>(role(false, "editor")).roles, ["author"]);

    let page: UserPage = lab.ok(Action::ListUsers {
        role: Some("author".into()),
        search: Some("example.test".into()),
        offset: 1,
        limit: 1,
        network: false,
    });
    assert_eq!((page.total, page.users.len()), (2, 1));
    assert_eq!(page.users[0].login, "second");
    let roles: Roles = lab.ok(Action::ListRoles);
    let author = roles
        .roles
        .iter()
        .find(|role| role.role == "author")
        .unwrap();
    assert_eq!(author.users, 2);
    assert!(author.capabilities.contains(&"publish_posts".to_owned()));

    // Content does not go by accident.
    lab.site
        .php(&format!("wp_insert_post(array('post_title' => 'Theirs', 'post_status' => 'publish', 'post_author' => {}));", writer.id))
        .unwrap();
    let delete = |reassign: Option<UserRef>| Action::DeleteUser {
        user: login("writer"),
        reassign,
        delete_content: false,
        network: lab.is_network(),
    };
    assert_eq!(lab.refused(delete(None)), "content_left");
    assert_eq!(lab.refused(delete(Some(login("nobody")))), "user_missing");
    assert_eq!(
        lab.refused(delete(Some(login("writer")))),
        "reassign_to_self"
    );
    let gone: UserDeleted = lab.ok(delete(Some(UserRef::Email("second@example.test".into()))));
    assert!(gone.account_gone);
    assert_eq!(
        lab.sql("SELECT COUNT(*) FROM wp_users WHERE user_login = 'writer'"),
        "0"
    );
    assert_eq!(
        lab.sql("SELECT user_login FROM wp_posts JOIN wp_users ON wp_users.ID = post_author WHERE post_title = 'Theirs'"),
        "second"
    );
    assert_eq!(
        lab.refused(Action::GetUser {
            user: login("writer")
        }),
        "user_missing"
    );
}

pub fn ways_in(lab: &Lab) {
    lab.site
        .php("$_SERVER['REMOTE_ADDR'] = '192.0.2.7'; foreach (array(1, 2, 2) as $n) { WP_Session_Tokens::get_instance(get_user_by('login', $n === 1 ? 'admin' : 'second')->ID)->create(time() + 3600); }")
        .unwrap();
    let told: Sessions = lab.ok(Action::ListSessions {
        user: login("second"),
    });
    // One of them came with the log-in above.
    assert_eq!(told.sessions.len(), 3);
    assert_eq!(told.sessions[2].ip.as_deref(), Some("192.0.2.7"));
    let rows = || lab.sql("SELECT COUNT(*) FROM wp_usermeta WHERE meta_key = 'session_tokens'");
    let gone: SessionsDestroyed = lab.ok(Action::DestroySessions {
        user: Some(login("second")),
    });
    assert_eq!((gone.destroyed, rows().as_str()), (3, "1"));
    let gone: SessionsDestroyed = lab.ok(Action::DestroySessions { user: None });
    assert_eq!((gone.destroyed, rows().as_str()), (1, "0"));

    let create = |name: &str| Action::CreateApplicationPassword {
        user: login("second"),
        name: name.into(),
    };
    let outcome = lab.one(create("It's ours"));
    let secret = outcome.secret.clone().expect("a password");
    let made: ApplicationPassword = read(&outcome);
    assert_eq!(made.name, "It's ours");
    let taken = lab
        .site
        .php(&format!(
            "add_filter('wp_is_application_passwords_available', '__return_true'); add_filter('application_password_is_api_request', '__return_true');
             $user = wp_authenticate_application_password(null, 'second', '{}'); echo $user instanceof WP_User ? 'in' : 'out';",
            secret.reveal()
        ))
        .unwrap();
    assert_eq!(taken, "in");
    assert_eq!(lab.refused(create("")), "application_password_empty_name");
    lab.one(create("another"));
    let told: ApplicationPasswords = lab.ok(Action::ListApplicationPasswords {
        user: login("second"),
    });
    assert_eq!(told.passwords.len(), 2);
    let delete = |uuid: Option<String>| Action::DeleteApplicationPasswords {
        user: login("second"),
        uuid,
    };
    assert_eq!(
        lab.ok::<PasswordsDeleted>(delete(Some(made.uuid.clone())))
            .deleted,
        1
    );
    assert_eq!(
        lab.refused(delete(Some(made.uuid))),
        "application_password_not_found"
    );
    assert_eq!(lab.ok::<PasswordsDeleted>(delete(None)).deleted, 1);
}
