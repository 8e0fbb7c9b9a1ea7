<?php
/**
 * What a replacement in stored values must do, said by PHP itself: `unserialize()` with
 * no class allowed, a walk, `serialize()`. `$forms` is old => new for `strtr()`.
 *
 * A value without a search text stays. Blanks at both ends are set apart, as WordPress
 * trims before it unserializes. Exactly one serialized value: each string in it is
 * walked the same way, once, however many references lead to it. What only begins
 * like one is broken and stays. Anything else is text.
 */
function walk_value(string $value, array $forms, array &$tally): string
{
    $hit = false;
    foreach ($forms as $old => $_) {
        $hit = $hit || str_contains($value, (string) $old);
    }
    if (!$hit) {
        return $value;
    }
    $core = trim($value, " \n\r\t\v\0");
    [$whole, $data] = read_whole($core);
    if ($whole) {
        $seen = [];
        $changed = false;
        walk_data($data, $forms, $tally, $seen, $changed);
        if (!$changed) {
            return $value;
        }
        $start = strpos($value, $core);
        return substr($value, 0, $start) . serialize($data) . substr($value, $start + strlen($core));
    }
    if (preg_match('/^(?:[sSOCE]:[0-9]+:"|a:[0-9]+:\{)/', $core)) {
        $tally['broken']++;
        return $value;
    }
    // Serialized data in a string of JSON has the lengths of the decoded text.
    preg_match_all(LITERAL, $value, $found, PREG_OFFSET_CAPTURE);
    $out = '';
    $from = 0;
    foreach ($found[0] as [$raw, $at]) {
        $hit = false;
        foreach ($forms as $old => $_) {
            $hit = $hit || str_contains($raw, (string) $old);
        }
        if (!$hit) {
            continue;
        }
        $out .= strtr(substr($value, $from, $at - $from), $forms) . walk_literal($raw, $forms, $tally);
        $from = $at + strlen($raw);
    }
    return $out . strtr(substr($value, $from), $forms);
}

/** The inside of a string of JSON, written as it was; broken if `json_encode()` would not. */
function walk_literal(string $raw, array $forms, array &$tally): string
{
    $inside = ['broken' => 0];
    $new = map_literal($raw, function ($text) use ($forms, &$inside) {
        return walk_value($text, $forms, $inside);
    });
    $tally['broken'] += $new === null ? 1 : $inside['broken'];
    return $new ?? $raw;
}

/** A string that begins as serialized data with its quotes escaped. */
const LITERAL = '/(?<!\\\\)(?:\\\\\\\\)*"\K(?=[sSOCE]:[0-9]+:\\\\"|a:[0-9]+:\{)(?:[^"\\\\]|\\\\.)*(?=")/s';

function map_literal(string $raw, callable $map): ?string
{
    $text = json_decode('"' . $raw . '"');
    $letters = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS;
    foreach ([0, $letters, JSON_UNESCAPED_SLASHES, JSON_UNESCAPED_SLASHES | $letters] as $flags) {
        if (is_string($text) && json_encode($text, $flags) === '"' . $raw . '"') {
            $new = json_encode($map($text), $flags);
            return $new === false ? null : substr($new, 1, -1);
        }
    }
    return null;
}

/** Whether the bytes are one serialized value and nothing more, and what it is. */
function read_whole(string $core): array
{
    $data = @unserialize($core, ['allowed_classes' => false]);
    if ($data === false && $core !== 'b:0;') {
        return [false, null];
    }
    // PHP 8.2 says nothing of bytes after the value: then the last byte is not needed.
    $short = substr($core, 0, -1);
    if ($short === 'b:0;' || @unserialize($short, ['allowed_classes' => false]) !== false) {
        return [false, null];
    }
    return [true, $data];
}

function walk_data(mixed &$data, array $forms, array &$tally, array &$seen, bool &$changed, int $depth = 0): void
{
    if ($depth > 300) {
        // An array inside itself, of which PHP makes copies while it is written to.
        throw new RangeException('cyclic');
    }
    if (is_string($data)) {
        $new = walk_value($data, $forms, $tally);
        $changed = $changed || $new !== $data;
        $data = $new;
    } elseif (is_array($data)) {
        foreach (array_keys($data) as $key) {
            if (walk_first($data, $key, $seen)) {
                walk_data($data[$key], $forms, $tally, $seen, $changed, $depth + 1);
            }
        }
    } elseif (is_object($data) && !($data instanceof UnitEnum)) {
        $id = 'object ' . spl_object_id($data);
        if (isset($seen[$id])) {
            return;
        }
        $seen[$id] = $data;
        // A class that is not loaded refuses to be written to; its table does not.
        $table = new ArrayObject($data);
        $properties = get_mangled_object_vars($data);
        foreach (array_keys($properties) as $key) {
            if ($key === '__PHP_Incomplete_Class_Name' || !walk_first($properties, $key, $seen)) {
                continue;
            }
            $shared = ReflectionReference::fromArrayElement($properties, $key) !== null;
            walk_data($properties[$key], $forms, $tally, $seen, $changed, $depth + 1);
            if (!$shared) {
                $table[$key] = $properties[$key];
            }
        }
    }
}

/** Whether an element is not one that a reference has led to before. */
function walk_first(array $data, int|string $key, array &$seen): bool
{
    $reference = ReflectionReference::fromArrayElement($data, $key);
    if ($reference === null) {
        return true;
    }
    $id = 'reference ' . $reference->getId();
    if (isset($seen[$id])) {
        return false;
    }
    $seen[$id] = true;
    return true;
}

/** A value in the one way `serialize()` writes it, at every fold. */
function normal_value(string $value): string
{
    $core = trim($value, " \n\r\t\v\0");
    [$whole, $data] = read_whole($core);
    if (!$whole) {
        return preg_replace_callback(LITERAL, fn ($found) => map_literal($found[0], normal_value(...)) ?? $found[0], $value);
    }
    $seen = [];
    normal_data($data, $seen);
    $start = strpos($value, $core);
    return substr($value, 0, $start) . serialize($data) . substr($value, $start + strlen($core));
}

function normal_data(mixed &$data, array &$seen, int $depth = 0): void
{
    if ($depth > 300) {
        throw new RangeException('cyclic');
    }
    if (is_string($data)) {
        $data = normal_value($data);
    } elseif (is_array($data)) {
        foreach (array_keys($data) as $key) {
            if (walk_first($data, $key, $seen)) {
                normal_data($data[$key], $seen, $depth + 1);
            }
        }
    } elseif (is_object($data) && !($data instanceof UnitEnum)) {
        $id = 'object ' . spl_object_id($data);
        if (isset($seen[$id])) {
            return;
        }
        $seen[$id] = $data;
        $table = new ArrayObject($data);
        $properties = get_mangled_object_vars($data);
        foreach (array_keys($properties) as $key) {
            if ($key === '__PHP_Incomplete_Class_Name' || !walk_first($properties, $key, $seen)) {
                continue;
            }
            $shared = ReflectionReference::fromArrayElement($properties, $key) !== null;
            normal_data($properties[$key], $seen, $depth + 1);
            if (!$shared) {
                $table[$key] = $properties[$key];
            }
        }
    }
}
