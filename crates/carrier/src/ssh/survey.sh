# Looks at a host as the user that a site belongs to. Word: the mark.
# Prints lines of a name and a value; what cannot be found is left out.
printf 'PRESSROOM-ANSWER %s\n' "$1"
echo "system $(uname -s)"
echo "machine $(uname -m)"
echo "user $(id -un)"
echo "uid $(id -u)"
echo "home $HOME"

df -Pk "$HOME" 2>/dev/null | tail -n 1 | (read -r _ _ _ free _ && echo "free $((free * 1024))")

# Each php once, by the file that it is.
seen=
old=$IFS
IFS=:
set -f
for dir in $PATH /usr/local/bin /usr/bin '/opt/cpanel/ea-php*/root/usr/bin' '/opt/plesk/php/*/bin' '/opt/alt/php*/usr/bin'; do
    IFS=$old
    set +f
    for php in $dir/php $dir/php[5-9]*; do
        case ${php##*/} in php | php[5-9] | php[5-9].[0-9] | php[5-9][0-9]) ;; *) continue ;; esac
        [ -x "$php" ] && [ ! -d "$php" ] || continue
        file=$(readlink -f "$php" 2>/dev/null || echo "$php")
        case "$seen|" in *"|$file|"*) continue ;; esac
        seen="$seen|$file"
        version=$("$php" -n -r 'echo PHP_VERSION;' </dev/null 2>/dev/null) && echo "php $version $php"
    done
    set -f
    IFS=:
done
IFS=$old
set +f

running=$(cat /proc/[0-9]*/comm 2>/dev/null)
for server in nginx apache2 httpd litespeed lshttpd caddy; do
    case "
$running
" in *"
$server
"*) echo "web $server" ;; esac
done
if command -v sudo >/dev/null; then
    LC_ALL=C sudo -n -l 2>/dev/null </dev/null | sed -n 's/^ *(\([^)]*\)).*NOPASSWD:.*/sudo \1/p'
fi
printf 'PRESSROOM-END %s\n' "$1"
