# Lists every WordPress of a host, whoever it belongs to. Word: the mark.
# Prints lines of `site`, the owner, whether it is configured, the version, the directory.
printf 'PRESSROOM-ANSWER %s\n' "$1"
{
    printf '%s\n' /home /srv /var/www
    getent passwd 2>/dev/null | while IFS=: read -r _ _ uid _ _ home _; do
        [ "$uid" -ge 1000 ] && [ "$uid" -lt 65534 ] && printf '%s\n' "$home"
    done
} | sort -u | while read -r top; do
    [ -d "$top" ] || continue
    find "$top" -maxdepth 5 \( -name wp-content -o -name node_modules -o -name '.*' \) -prune \
        -o -type f -path '*/wp-includes/version.php' -print 2>/dev/null
done | sort -u | while read -r file; do
    root=${file%/wp-includes/version.php}
    [ -f "$root/wp-load.php" ] || continue
    configured=no
    if [ -f "$root/wp-config.php" ] || { [ -f "${root%/*}/wp-config.php" ] && [ ! -f "${root%/*}/wp-settings.php" ]; }; then
        configured=yes
    fi
    # Of the whole version alone: what else the file says is not asked.
    version=$(head -c 65536 "$file" | sed -n "s/.*\$wp_version *= *'\([0-9][0-9A-Za-z.+-]*\)'.*/\1/p" | head -n 1)
    owner=$(stat -c %U "$root" 2>/dev/null) || continue
    echo "site $owner $configured ${version:--} $root"
done
printf 'PRESSROOM-END %s\n' "$1"
