# Removes every agent from the user's own directory, and the directory if it is empty
# then: a site may keep its journal there. Word: the mark.
count=0
if cd "$HOME/.pressroom" 2>/dev/null && [ -O . ]; then
    for agent in agent-* upload.*; do
        [ -f "$agent" ] && rm -f "$agent" && count=$((count + 1))
    done
    cd / && rmdir "$HOME/.pressroom" 2>/dev/null
fi
printf 'PRESSROOM-ANSWER %s\n%s\nPRESSROOM-END %s\n' "$1" "$count" "$1"
