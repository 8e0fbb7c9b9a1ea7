//! What can happen, as written to the outbox.

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)*) => {
        $($(#[doc = $doc])+ pub const $name: &str = $text;)*
        /// Every event name with its description.
        pub const ALL: &[(&str, &str)] = &[$(($text, concat!($($doc),+)),)*];
    };
}

events! {
    /// A person was added.
    USER_CREATED = "user.created";
    /// A person got another password; whatever they had signed in to ended.
    USER_PASSWORD_CHANGED = "user.password_changed";
    /// A person was shut out.
    USER_DISABLED = "user.disabled";
    /// A person was let in again.
    USER_ENABLED = "user.enabled";
    /// Somebody was invited to an account.
    USER_INVITED = "user.invited";
    /// Somebody came to an account by an invitation.
    INVITATION_ACCEPTED = "invitation.accepted";
    /// An invitation was taken back.
    INVITATION_WITHDRAWN = "invitation.withdrawn";
    /// Somebody asked for a link that gives a person another password.
    USER_PASSWORD_RESET_REQUESTED = "user.password_reset_requested";
    /// An account was added.
    ACCOUNT_CREATED = "account.created";
    /// A domain was given to an account.
    DOMAIN_CREATED = "domain.created";
    /// A domain was taken from an account.
    DOMAIN_REMOVED = "domain.removed";
    /// A credential was issued.
    TOKEN_CREATED = "token.created";
    /// A credential was made to open nothing any more.
    TOKEN_REVOKED = "token.revoked";
    /// A key to open hosts with was made or imported.
    SSH_KEY_CREATED = "ssh_key.created";
    /// Another key opens the hosts of an account that name none.
    SSH_KEY_PREFERRED = "ssh_key.preferred";
    /// A key to open hosts with was forgotten.
    SSH_KEY_REMOVED = "ssh_key.removed";
    /// A host was added.
    HOST_CREATED = "host.created";
    /// A host was forgotten, and our agent removed from it where it could be reached.
    HOST_REMOVED = "host.removed";
    /// Somebody said that a host's key was changed on purpose: the next one is learned.
    HOST_KEY_FORGOTTEN = "host.key_forgotten";
    /// A person signed in, to the console or with a program.
    USER_SIGNED_IN = "user.signed_in";
    /// A program that somebody signed in with was signed out.
    USER_SIGNED_OUT = "user.signed_out";
    /// A token that had been exchanged already came again; all that the sign-in led to ended.
    TOKEN_REPLAYED = "token.replayed";
    /// Signing in as a person takes a code as well from now on.
    USER_TWO_FACTOR_ENABLED = "user.two_factor_enabled";
    /// Signing in as a person takes a password alone.
    USER_TWO_FACTOR_DISABLED = "user.two_factor_disabled";
    /// A person got other backup codes.
    USER_BACKUP_CODES_REPLACED = "user.backup_codes_replaced";
    /// A person signed in with a backup code, which is good no more.
    USER_BACKUP_CODE_USED = "user.backup_code_used";
    /// An installation was asked for.
    SITE_INSTALL_STARTED = "site.install_started";
    /// A new WordPress was verified to be serving.
    SITE_INSTALLED = "site.installed";
    /// An installation failed and was undone.
    SITE_INSTALL_FAILED = "site.install_failed";
    /// A copy of a site was asked for.
    SITE_CLONE_STARTED = "site.clone_started";
    /// A copy was verified to be serving as its source does.
    SITE_CLONED = "site.cloned";
    /// A snapshot was asked for.
    SNAPSHOT_STARTED = "snapshot.started";
    /// A snapshot is in the archive and was read back whole.
    SNAPSHOT_CREATED = "snapshot.created";
    /// Somebody asked to have a snapshot read back.
    SNAPSHOT_VERIFY_STARTED = "snapshot.verify_started";
    /// A snapshot was removed from the archive.
    SNAPSHOT_REMOVED = "snapshot.removed";
    /// A snapshot's time was over, and it was removed from the archive.
    SNAPSHOT_EXPIRED = "snapshot.expired";
    /// Somebody is to send a snapshot.
    SNAPSHOT_AWAITED = "snapshot.awaited";
    /// A link to download a snapshot was made.
    SNAPSHOT_LINK_CREATED = "snapshot.link_created";
    /// A snapshot's download through a link began.
    SNAPSHOT_DOWNLOAD_STARTED = "snapshot.download_started";
    /// A restore was asked for.
    SNAPSHOT_RESTORE_STARTED = "snapshot.restore_started";
    /// A site was restored and verified.
    SNAPSHOT_RESTORED = "snapshot.restored";
    /// A site that was there before is managed from now on.
    SITE_ADOPTED = "site.adopted";
    /// A site was added by its address.
    SITE_CREATED = "site.created";
    /// A site's name, address or tags were changed on record, or whether it is looked at.
    SITE_UPDATED = "site.updated";
    /// A site that was added by its address was reached and verified, and is managed; or one
    /// that was out of reach is within it again.
    SITE_CONNECTED = "site.connected";
    /// A site that was added by its address could not be connected; it is tried again.
    SITE_CONNECT_FAILED = "site.connect_failed";
    /// A site that was connected is not any more: it was forgotten, or answers its visitors and
    /// cannot be reached to be worked on.
    SITE_DISCONNECTED = "site.disconnected";
    /// A site that was added by its address was forgotten before it was connected.
    SITE_FORGOTTEN = "site.forgotten";
    /// A site's removal was asked for.
    SITE_REMOVE_STARTED = "site.remove_started";
    /// A site was removed from its machine.
    SITE_REMOVED = "site.removed";
    /// A site was handed over: it stays as it is and is not managed any more.
    SITE_RELEASED = "site.released";
    /// Tags were given to a site.
    SITE_TAGGED = "site.tagged";
    /// Tags were taken from a site.
    SITE_UNTAGGED = "site.untagged";
    /// A site's move to another domain was asked for.
    SITE_MOVE_STARTED = "site.move_started";
    /// A site lives at another domain now.
    SITE_MOVED = "site.moved";
    /// A one-time login was issued.
    SITE_LOGIN_ISSUED = "site.login_issued";
    /// A new user of a site was asked for.
    SITE_USER_ADD_STARTED = "site.user_add_started";
    /// A new user was seen in a site's tables.
    SITE_USER_ADDED = "site.user_added";
    /// A new password for a user of a site was asked for.
    SITE_PASSWORD_RESET_STARTED = "site.password_reset_started";
    /// A user of a site has another password, and is logged in nowhere.
    SITE_PASSWORD_RESET = "site.password_reset";
    /// Somebody said what is updated by itself, and when.
    UPDATE_POLICY_SET = "update_policy.set";
    /// What somebody said of updates by themselves is not said any more.
    UPDATE_POLICY_CLEARED = "update_policy.cleared";
    /// A safe update was asked for.
    UPGRADE_PIPELINE_CREATED = "upgrade_pipeline.created";
    /// Somebody said yes to a safe update that was tried.
    UPGRADE_PIPELINE_APPROVED = "upgrade_pipeline.approved";
    /// A safe update was over before the site was touched.
    UPGRADE_PIPELINE_CANCELLED = "upgrade_pipeline.cancelled";
    /// A safe update began.
    UPGRADE_STARTED = "upgrade.started";
    /// A safe update waits for somebody to say yes.
    UPGRADE_AWAITING_APPROVAL = "upgrade.awaiting_approval";
    /// A safe update went well: what was kept was verified.
    UPGRADE_COMPLETED = "upgrade.completed";
    /// A safe update, or one of its targets, failed.
    UPGRADE_FAILED = "upgrade.failed";
    /// A safe update was taken back, and the site verified to be as before.
    UPGRADE_ROLLED_BACK = "upgrade.rolled_back";
    /// Somebody asked for a site's maintenance to begin or to end.
    SITE_MAINTENANCE_STARTED = "site.maintenance_started";
    /// A site was seen to be in maintenance, or out of it.
    SITE_MAINTENANCE_SET = "site.maintenance_set";
    /// Another version of WordPress, or its files anew, was asked for.
    CORE_UPDATE_STARTED = "core.update_started";
    /// WordPress' files, and its tables where they had to change, were verified.
    CORE_UPDATED = "core.updated";
    /// A version of WordPress was taken back, and the old files verified.
    CORE_UPDATE_TAKEN_BACK = "core.update_taken_back";
    /// A change of a site's caches was asked for.
    SITE_CACHE_CHANGE_STARTED = "site.cache_change_started";
    /// A site's caches were enabled, disabled, flushed or purged, and looked at.
    SITE_CACHE_CHANGED = "site.cache_changed";
    /// Somebody asked for a security measure of a site to be switched.
    SITE_SECURITY_STARTED = "site.security_started";
    /// A security measure was seen to be on, or off.
    SITE_SECURITY_SET = "site.security_set";
    /// A component's update was asked for.
    COMPONENT_UPDATE_STARTED = "component.update_started";
    /// A component's new version was verified.
    COMPONENT_UPDATED = "component.updated";
    /// A component's update was taken back, and the old tree verified.
    COMPONENT_UPDATE_TAKEN_BACK = "component.update_taken_back";
    /// A component's update failed.
    COMPONENT_UPDATE_FAILED = "component.update_failed";
    /// Components were asked to be installed, activated, deactivated or deleted.
    COMPONENT_CHANGE_STARTED = "component.change_started";
    /// A component's files are at a site, and are its package's.
    COMPONENT_INSTALLED = "component.installed";
    /// A component is in use, and the site answers with it.
    COMPONENT_ACTIVATED = "component.activated";
    /// A component is no longer in use.
    COMPONENT_DEACTIVATED = "component.deactivated";
    /// A component's files are gone from a site.
    COMPONENT_DELETED = "component.deleted";
    /// A component is not as it was asked to be.
    COMPONENT_CHANGE_FAILED = "component.change_failed";
    /// A replacement of texts in a site's tables was asked for.
    SITE_SEARCH_REPLACE_STARTED = "site.search_replace_started";
    /// Texts in a site's tables were replaced, and looked for again.
    SITE_SEARCHED_REPLACED = "site.searched_replaced";
    /// An import into a site's tables was asked for.
    SITE_IMPORT_STARTED = "site.import_started";
    /// A dump is in place of a site's tables.
    SITE_IMPORTED = "site.imported";
    /// One operation on many sites was asked for.
    RUN_STARTED = "run.started";
    /// Every site of such a run is done with.
    RUN_ENDED = "run.ended";
    /// A command of somebody's own was begun at a site.
    SITE_COMMAND_STARTED = "site.command_started";
    /// A receiver of webhooks was added.
    WEBHOOK_ENDPOINT_CREATED = "webhook_endpoint.created";
    /// A receiver of webhooks was changed.
    WEBHOOK_ENDPOINT_UPDATED = "webhook_endpoint.updated";
    /// A receiver of webhooks got another secret.
    WEBHOOK_SECRET_ROTATED = "webhook_endpoint.secret_rotated";
    /// Deliveries to a receiver of webhooks were disabled: it is gone, or only failed.
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint.disabled";
    /// A receiver of webhooks was removed, with what was waiting for it.
    WEBHOOK_ENDPOINT_REMOVED = "webhook_endpoint.removed";
    /// Webhooks that had ended were queued anew.
    WEBHOOK_REPLAYED = "webhook_endpoint.replayed";
    /// A site failed twice in a row.
    SITE_DOWN = "site.down";
    /// A site that was down answers again.
    SITE_RECOVERED = "site.recovered";
    /// A site was slow three times in a row.
    PERFORMANCE_DEGRADED = "performance.degraded";
    /// A site was looked at closely.
    PERFORMANCE_CHECK_COMPLETED = "performance.check_completed";
    /// A site's name leads elsewhere, or its zone is served by others.
    DNS_CHANGED = "dns.changed";
    /// Somebody asked for a job to stop.
    JOB_CANCEL_REQUESTED = "job.cancel_requested";
}
