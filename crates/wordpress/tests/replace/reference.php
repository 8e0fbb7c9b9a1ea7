<?php
/**
 * Fills tables with hard values, and says what they must become.
 *
 *   fill SOCKET DATABASE PREFIX
 *   say  SOCKET DATABASE FORMS SKIP   one line per cell: table, key, column, hash
 *
 * FORMS is hexadecimal `old:new`, parted by spaces; empty to say what is there. SKIP
 * matches `table.column` of cells that are not said.
 */
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
[, $mode, $socket, $database] = $argv;
$db = new mysqli('localhost', 'root', '', $database, 0, $socket);
// As WordPress reads and writes.
$db->query('SET NAMES utf8mb4');
$db->query("SET SESSION sql_mode = ''");

class Known
{
    public $url = 'http://old.test/known';
    protected $deep = ['http://old.test', 7];
    private $own = 'text';
}

function hard_values(): array
{
    $u = 'http://old.test';
    $object = new stdClass();
    $object->url = "$u/object";
    $object->{'http://old.test'} = 'name';
    $object->self = $object;
    $shared = "$u/shared";
    $references = ['a' => &$shared, 'b' => &$shared, 'c' => [&$shared]];
    $inner = serialize(['url' => $u, 'list' => [$u, "$u/é", "日本 $u 😀"]]);
    $values = [
        $u, "$u$u", "x $u y", '', 'no hit', 'http://OLD.test', 'https://old.test', 'http:\/\/old.test\/a',
        json_encode(['url' => "$u/ä", 'html' => "<a href=\"$u\">"]), "old.test", 'bold.test',
        serialize([]), serialize([$u => $u]), serialize(['k' => "$u/é\0"]), serialize($u),
        serialize([1, 2.5, true, null, -0.0, INF, 0.1, "$u"]), serialize($inner), serialize(serialize($inner)),
        serialize(serialize(serialize(['x' => serialize([$inner])]))), serialize(['json' => json_encode(['u' => $u, 's' => $inner])]),
        serialize($object), serialize(new Known()), serialize([$object, $object, new Known()]), serialize($references),
        serialize(['blanks' => " \n$inner\t"]), "  " . $inner . "\n", "\0" . $inner,
        'O:7:"Missing":2:{s:3:"url";s:15:"http://old.test";s:10:"' . "\0Missing\0" . 'p";s:15:"http://old.test";}',
        'a:2:{i:0;C:4:"Some":15:{http://old.test}i:1;s:15:"http://old.test";}',
        'a:1:{i:0;S:15:"http://old.tes\74";}', 'a:1:{i:0;S:15:"http://old.test";}',
        // Broken: cut, lying lengths, bytes behind, wrong types.
        substr($inner, 0, -1), substr($inner, 0, 40), substr($inner, 1), $inner . 'x', str_replace('s:15:', 's:14:', $inner),
        's:10:"http://old.test";', 'a:2:{i:0;s:15:"http://old.test";}', 'a:1:{i:0;s:15:"http://old.test";', 'a:1:{i:0;s:15:"http://old.test"}',
        'a:1:{i:0;i:x;i:1;s:15:"http://old.test";}', 'a:-1:{s:15:"http://old.test";}', 'O:3:"a-b":1:{s:1:"x";s:15:"http://old.test";}',
        serialize(['inside' => substr($inner, 0, -3), 'good' => $u]), serialize(['lie' => 's:3:"http://old.test";']),
        'b:1;http://old.test', 'i:5;http://old.test', 'N;http://old.test', 's:http://old.test', 'a:http://old.test', 'O:http://old.test',
        "it's \"quoted\" \\ and % _ \x1a http://old.test", str_repeat("$u ", 3000), serialize(array_fill(0, 500, $u)),
        serialize([str_repeat('y', 70000), $u]), "\u{FEFF}$u", "http://\nold.test", '{"a":"http:\/\/old.test","b":"http:\\\\\/\\\\\/old.test"}',
        "Müller $u/é", serialize(['Müller' => "Müller $u/é", 'é' => serialize(["$u/ö", 'ß'])]),
    ];
    mt_srand(5);
    for ($n = 0; $n < 150; $n++) {
        $value = $values[mt_rand(0, 29)];
        for ($fold = mt_rand(1, 4); $fold > 0; $fold--) {
            $value = mt_rand(0, 1) ? serialize($value) : serialize(['k' . $fold => $value, $fold => [$u, $n]]);
        }
        $values[] = mt_rand(0, 9) ? $value : substr($value, 0, mt_rand(1, strlen($value)));
    }
    return $values;
}

if ($mode === 'fill') {
    $prefix = $argv[4];
    $db->query('SET NAMES binary');
    foreach (hard_values() as $n => $value) {
        $db->execute_query("INSERT INTO {$prefix}postmeta (post_id, meta_key, meta_value) VALUES (1, ?, ?)", ["hard_$n", $value]);
        $db->execute_query("INSERT INTO {$prefix}options (option_name, option_value, autoload) VALUES (?, ?, 'no')", ["hard_$n", $value]);
        $db->execute_query("INSERT INTO {$prefix}posts (post_content, post_title, post_excerpt, guid) VALUES (?, 'http://old.test', ?, 'http://old.test/?p=1')", [$value, substr($value, 0, 1000)]);
        if ($db->query("SHOW TABLES LIKE '{$prefix}usermeta'")->num_rows) {
            $db->execute_query("INSERT INTO {$prefix}usermeta (user_id, meta_key, meta_value) VALUES (1, ?, ?)", ["hard_$n", $value]);
        }
    }
    // The server makes `?` of what does not fit.
    $db->query("CREATE TABLE {$prefix}sets (id INT AUTO_INCREMENT PRIMARY KEY, l LONGTEXT CHARACTER SET latin1, c LONGTEXT CHARACTER SET cp1250, u LONGTEXT CHARACTER SET utf16)");
    $db->query("INSERT INTO {$prefix}sets (l, c, u) SELECT option_value, option_value, option_value FROM {$prefix}options WHERE option_name LIKE 'hard\\_%'");
    exit;
}

$forms = [];
foreach (array_filter(explode(' ', $argv[4])) as $pair) {
    [$old, $new] = explode(':', $pair);
    $forms[hex2bin($old)] = hex2bin($new);
}
$tally = ['broken' => 0];
foreach ($db->query('SHOW FULL TABLES WHERE Table_type = \'BASE TABLE\'')->fetch_all() as [$table]) {
    $name = '`' . str_replace('`', '``', $table) . '`';
    $keys = array_column($db->query("SHOW KEYS FROM $name WHERE Key_name = 'PRIMARY'")->fetch_all(MYSQLI_ASSOC), 'Column_name');
    $types = array_column($db->query("SHOW COLUMNS FROM $name")->fetch_all(MYSQLI_ASSOC), 'Type', 'Field');
    $rows = $db->query("SELECT * FROM $name", MYSQLI_USE_RESULT);
    foreach ($rows as $row) {
        $key = implode(',', array_map(fn ($k) => $row[$k], $keys));
        foreach ($row as $column => $cell) {
            $text = preg_match('/^(char|varchar|\w*text|json)/', $types[$column]);
            $skip = preg_match($argv[5], "$table.$column");
            if ($skip) {
                continue;
            }
            // What `serialize()` would write in other words is compared in its words.
            $normal = $text ? normal_value((string) $cell) : (string) $cell;
            $hashes = [md5((string) $cell), md5($normal)];
            if ($forms && $cell !== null && $text && !in_array($column, $keys)) {
                $new = walk_value($cell, $forms, $tally);
                $hashes = $normal === $cell ? [md5($new)] : [md5(normal_value($new))];
            }
            echo "$table\t", bin2hex($key), "\t$column\t", implode(' ', $hashes), "\n";
        }
    }
}
fwrite(STDERR, (string) $tally['broken']);
