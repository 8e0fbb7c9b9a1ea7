<?php
// Decides for PHP's own server what a request gets, as nginx' server block does for a
// real one: the same rules in the same order, from the same table. Written anew with
// every change of the site; nothing here is kept between requests.
require (static function (): string {
    $site = json_decode('@SITE@', true, 32, JSON_THROW_ON_ERROR);
    $root = $site['root'];
    header('X-Content-Type-Options: nosniff');

    $end = static function (int $status, array $headers = []): never {
        http_response_code($status);
        header('Content-Type: text/html');
        foreach ($headers as $header) {
            header($header);
        }
        if (($_SERVER['REQUEST_METHOD'] ?? '') !== 'HEAD') {
            echo "<html><title>$status</title><h1>$status</h1></html>\n";
        }
        exit;
    };
    $encode = static fn (string $path): string => implode('/', array_map('rawurlencode', explode('/', $path)));

    // A name that is not ours belongs to nobody here.
    preg_match('/^([^:]*)(:[0-9]+)?$/D', strtolower($_SERVER['HTTP_HOST'] ?? ''), $named);
    $host = rtrim($named[1] ?? '', '.');
    $suffix = $site['wildcard'];
    $ours = in_array($host, $site['names'], true)
        || ($suffix !== null && strlen($host) > strlen($suffix) && str_ends_with($host, $suffix));
    if (!$ours) {
        $end(404);
    }
    if ((float) ($_SERVER['CONTENT_LENGTH'] ?? 0) > $site['request_bytes']) {
        $end(413);
    }

    // The path, decoded once and without detours; who leaves the root gets nothing.
    $raw = preg_replace('~^https?://[^/?#]*~i', '', $_SERVER['REQUEST_URI'] ?? '');
    $raw = explode('#', $raw, 2)[0];
    [$raw, $query] = explode('?', $raw, 2) + [1 => null];
    $path = rawurldecode($raw);
    if (preg_match('/%(?![0-9a-fA-F]{2})/', $raw) || str_contains($path, "\0") || !str_starts_with($path, '/')) {
        $end(400);
    }
    $parts = [];
    $names = explode('/', substr($path, 1));
    foreach ($names as $name) {
        if ($name === '..') {
            if (array_pop($parts) === null) {
                $end(400);
            }
        } elseif ($name !== '' && $name !== '.') {
            $parts[] = $name;
        }
    }
    $path = '/' . implode('/', $parts);
    if ($parts && in_array(end($names), ['', '.', '..'], true)) {
        $path .= '/';
    }
    $redirect = static function (string $to) use ($end, $encode, $query): never {
        $end(301, ['Location: ' . $encode($to) . ($query === null || $query === '' ? '' : '?' . $query)]);
    };

    // A link leads only to what belongs to the link's own owner.
    $reachable = static function (string $file) use ($site): bool {
        $at = $site['home'];
        foreach (explode('/', trim(substr($file, strlen($at)), '/')) as $name) {
            $at .= '/' . $name;
            if (is_link($at)) {
                $link = @lstat($at);
                $target = @stat($at);
                if (!$link || !$target || $link['uid'] !== $target['uid']) {
                    return false;
                }
            }
        }
        return true;
    };

    $send = static function (string $file) use ($site, $end): never {
        $method = $_SERVER['REQUEST_METHOD'] ?? 'GET';
        if ($method !== 'GET' && $method !== 'HEAD') {
            $end(405);
        }
        $stream = @fopen($file, 'rb');
        if (!$stream) {
            $end(403);
        }
        $about = fstat($stream);
        $ending = strtolower(pathinfo($file, PATHINFO_EXTENSION));
        ini_set('default_charset', '');
        header('Content-Type: ' . ($site['types'][$ending] ?? 'application/octet-stream'));
        $changed = gmdate('D, d M Y H:i:s', $about['mtime']) . ' GMT';
        header("Last-Modified: $changed");
        if (in_array($ending, $site['kept'], true)) {
            header('Cache-Control: max-age=604800');
        }
        if (($_SERVER['HTTP_IF_MODIFIED_SINCE'] ?? '') === $changed) {
            http_response_code(304);
            exit;
        }
        header('Content-Length: ' . $about['size']);
        if ($method === 'GET') {
            fpassthru($stream);
        }
        exit;
    };

    $pattern = static fn (string $rule): string => '~' . str_replace('~', '\~', $rule) . '~';
    // In a network a missing file may be that of another of its sites.
    $rewrite = static function (string $path, ?string $query) use ($site, $pattern, $encode): ?array {
        foreach ($site['rewrites'] as ['from' => $from, 'to' => $to]) {
            if (preg_match($pattern($from), $path, $found)) {
                [$to, $more] = explode('?', $to, 2) + [1 => null];
                if ($more !== null) {
                    $more = str_replace('$1', $encode($found[1]), $more);
                    $query = $query === null || $query === '' ? $more : "$more&$query";
                }
                return [str_replace('$1', $found[1], $to), $query];
            }
        }
        return null;
    };
    for ($turns = 0; $turns < 10; $turns++) {
        foreach ($site['refused'] as $rule) {
            if (preg_match($pattern($rule), $path)) {
                $end(403);
            }
        }
        if (preg_match($pattern($site['admin']), $path)) {
            $redirect($path . '/');
        }
        if (preg_match($pattern($site['admin_index']), $path, $found)) {
            $path = $found['admin'] . '/index.php';
            continue;
        }
        $file = $root . $path;
        if (preg_match($pattern($site['php']), $path)) {
            if (@is_file($file)) {
                break;
            }
            [$path, $query] = $rewrite($path, $query) ?? $end(404);
            continue;
        }
        $there = $reachable($file);
        if ($there && !str_ends_with($path, '/') && @is_file($file)) {
            $send($file);
        }
        if ($there && @is_dir($file)) {
            if (!str_ends_with($path, '/')) {
                $redirect($path . '/');
            }
            foreach (['index.php', 'index.html'] as $index) {
                if (@is_file($file . $index)) {
                    $path .= $index;
                    continue 2;
                }
            }
            $end(403);
        }
        $elsewhere = $rewrite($path, $query);
        if ($elsewhere) {
            [$path, $query] = $elsewhere;
            continue;
        }
        // What no file answers, WordPress does.
        $below = '';
        foreach ($site['subdirectories'] as $directory) {
            if (str_starts_with($path, "/$directory/") && strlen($directory) > strlen($below)) {
                $below = $directory;
            }
        }
        $path = ($below === '' ? '' : "/$below") . '/index.php';
    }
    if ($turns === 10) {
        $end(500);
    }

    foreach (['PATH_INFO', 'ORIG_PATH_INFO', 'PATH_TRANSLATED', 'HTTP_PROXY'] as $name) {
        unset($_SERVER[$name]);
    }
    $_SERVER['HTTP_HOST'] = $host . ($named[2] ?? '');
    $_SERVER['SERVER_NAME'] = $site['names'][0];
    // WordPress offers pretty addresses to servers it knows.
    $_SERVER['SERVER_SOFTWARE'] = 'nginx';
    $_SERVER['QUERY_STRING'] = $query ?? '';
    if ($site['rewrites']) {
        parse_str($_SERVER['QUERY_STRING'], $_GET);
    }
    $_SERVER['DOCUMENT_ROOT'] = $root;
    $_SERVER['SCRIPT_FILENAME'] = $file;
    $_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $_SERVER['DOCUMENT_URI'] = $path;
    chdir(dirname($file));
    return $file;
})();
