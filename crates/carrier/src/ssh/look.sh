# Says whose a directory is. Words: the mark, the directory.
# Prints lines of a name and a value; what cannot be found is left out.
printf 'PRESSROOM-ANSWER %s\n' "$1"
echo "user $(id -un)"
if CDPATH= cd -- "$2" 2>/dev/null; then
    echo "path $(pwd -P)"
    echo "owner $(stat -c %U . 2>/dev/null || ls -ld . | (read -r _ _ owner _ && echo "$owner"))"
fi
printf 'PRESSROOM-END %s\n' "$1"
