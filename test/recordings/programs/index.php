<?php
// A page that builds a report: arrays of some MiB, gone with the request.
$rows = [];
for ($i = 0; $i < 6000; $i++) {
    $rows[] = ['id' => $i, 'name' => "row $i", 'total' => $i * 1.19];
}
echo count($rows), ' ', strlen(json_encode($rows));
