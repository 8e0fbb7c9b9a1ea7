# Removes every agent from the user's own directory, and the directory if it is empty
# then: a site may keep its journal there. Word: the mark.
dir=$HOME/.pressroom
count=0
if [ -d "$dir" ] && [ ! -h "$dir" ]; then
    for agent in "$dir"/agent-* "$dir"/upload.*; do
        [ -f "$agent" ] || continue
        rm -f "$agent" && count=$((count + 1))
    done
    rmdir "$dir" 2>/dev/null
fi
printf 'PRESSROOM-ANSWER %s\n%s\nPRESSROOM-END %s\n' "$1" "$count" "$1"
