import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultName } from "../../exporter/discovery/name.ts";

/** Any bytes, decoded as the exporter decodes them. */
const anyText = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString());

/** A process as the kernel describes it after exec: comm is the program's name, at most 15 bytes. */
function nameOf(exe: string, commandLine: string, comm = exe.split("/").at(-1)?.slice(0, 15) ?? ""): string {
  return defaultName({ comm, exe, argv: commandLine.split(" ") }).name;
}

/** A process that wrote a title over its arguments; most write its beginning into comm as well. */
function titled(exe: string | undefined, title: string, comm = title.slice(0, 15)): string {
  return defaultName({ comm, exe, argv: [title] }).name;
}

// Since version 24 the main thread of Node.js is called MainThread, so comm says nothing.
describe("Node.js", () => {
  test.each([
    ["node server.js", "server.js"],
    ["/usr/local/bin/node /srv/shop/server.js --port 8080", "server.js"],
    ["node --max-old-space-size=512 dist/server.js", "server.js"],
    ["node --inspect=0.0.0.0:9229 --enable-source-maps worker.mjs", "worker.mjs"],
    ["node -r dotenv/config --require ts-node/register src/api.ts", "api.ts"],
    ["node --import ./tracing.mjs --conditions production api.js", "api.js"],
    ["node --require /app/tsx/preflight.cjs --import file:///app/tsx/loader.mjs src/server.ts", "server.ts"],
    ["node --env-file .env --env-file-if-exists .env.local server.js", "server.js"],
    ["node --unhandled-rejections strict --title shop server.js", "server.js"],
    ["node --watch --watch-path ./src server.js", "server.js"],
    ["node -- server.js -e x", "server.js"],
    ["node /app/node_modules/.bin/next start", "next"],
    ["node /usr/local/bin/yarn run dev", "yarn"],
    ["node ./bin/www", "www"],
    // scripts whose own name says nothing
    ["node /srv/orders/dist/index.js", "orders/index.js"],
    ["node /srv/orders/dist/main", "orders/main"],
    ["node ./packages/orders/src/index.ts", "orders/index.ts"],
    ["node dist/index.js", "index.js"],
    ["node index.js", "index.js"],
    ["node /usr/src/app/dist/index.js", "index.js"],
    ["node /usr/local/app/index.js", "index.js"],
    ["node /var/www/shop/releases/20260401/dist/main.js", "shop/main.js"],
    ["node /srv/shop/current/index.js", "shop/index.js"],
    // no script
    ["node", "node"],
    ["node .", "node"],
    ["node ..", "node"],
    ["node -e setInterval(()=>{},1000)", "node"],
    ["node --eval=1 -p 2", "node"],
    ["node --require ./x.js --eval 1", "node"],
    ["node -", "node"],
  ])("%s", (commandLine, name) => {
    expect(nameOf("/usr/local/bin/node", commandLine, "MainThread")).toBe(name);
  });

  test.each([
    ["npm run start", "npm"],
    ["npm run start   ", "npm"],
    ["next-server (v14.1.0)", "next-server"],
    ["PM2 v5.3.0: God Daemon (/root/.pm2)", "PM2"],
    ["node /srv/shop/server.js", "server.js"], // what PM2 sets for its children
    ["node /srv/orders/dist/index.js", "orders/index.js"],
    ["orders", "orders"], // process.title = "orders"
    ["orders: worker 3", "orders"],
  ])("with the title %j", (title, name) => {
    expect(titled("/usr/local/bin/node", title)).toBe(name);
    expect(titled(undefined, title)).toBe(name);
  });
});

describe("Deno and Bun", () => {
  test.each([
    ["/usr/bin/deno", "deno run --allow-net --allow-env server.ts", "server.ts"],
    ["/usr/bin/deno", "deno run -A --config deno.json /srv/shop/main.ts", "shop/main.ts"],
    ["/usr/bin/deno", "deno run -r server.ts", "server.ts"],
    ["/usr/bin/deno", "deno serve --port 8000 api.ts", "api.ts"],
    ["/usr/bin/deno", "deno run -A jsr:@std/http/file-server", "file-server"],
    ["/usr/bin/deno", "deno eval console.log(1)", "deno"],
    ["/usr/bin/deno", "deno task start", "deno"],
    ["/usr/local/bin/bun", "bun run src/server.ts", "server.ts"],
    ["/usr/local/bin/bun", "bun --watch -r ./otel.ts server.ts", "server.ts"],
    ["/usr/local/bin/bun", "bun server.ts", "server.ts"],
    ["/usr/local/bin/bun", "bun run start", "bun"],
    ["/usr/local/bin/bun", "bun -e 1", "bun"],
  ])("%s: %s", (exe, commandLine, name) => {
    expect(nameOf(exe, commandLine)).toBe(name);
  });
});

describe("Python", () => {
  test.each([
    ["python3 app.py", "app.py"],
    ["python3 -u -W ignore -X dev worker.py", "worker.py"],
    ["python manage.py runserver 0.0.0.0:8000", "manage.py"],
    ["python3 -m http.server 8000", "http.server"],
    ["python -m uvicorn shop.main:app --host 0.0.0.0", "shop/uvicorn"],
    ["python3 -um celery -A shop worker", "shop/celery"],
    ["/usr/bin/python3 /usr/local/bin/gunicorn shop.wsgi", "shop/gunicorn"],
    ["/opt/venv/bin/python /opt/venv/bin/celery -A shop worker", "shop/celery"],
    ["python3 /srv/orders/app/main.py", "orders/main.py"],
    ["python3 /srv/orders/__main__.py", "orders/__main__.py"],
    ["pypy3 app.py", "app.py"],
    ["python3 -c import(time);time.sleep(9)", "python3"],
    ["python3 -uc import(time) worker.py", "python3"],
    ["python3 -Ic 1 --multiprocessing-fork", "python3"],
    ["python3", "python3"],
  ])("%s", (commandLine, name) => {
    expect(nameOf("/usr/bin/python3.11", commandLine, commandLine.startsWith("pypy") ? "pypy3" : "python3")).toBe(name);
  });

  test.each([
    ["gunicorn: master [shop.wsgi:application]", "shop/gunicorn"],
    ["gunicorn: worker [shop.wsgi:application]", "shop/gunicorn"],
    ["[celeryd: celery@shop-1:MainProcess] -active- (worker -A shop)", "celery"],
    ["[celeryd: celery@shop-1:ForkPoolWorker-3]", "celery"],
    ["[celery beat] running", "celery:beat"],
    ["orders-consumer", "orders-consumer"],
  ])("with the title %j", (title, name) => {
    expect(titled("/usr/bin/python3.11", title)).toBe(name);
  });

  test("with a program of its own", () => {
    expect(nameOf("/usr/bin/uwsgi", "uwsgi --ini /etc/shop.ini")).toBe("uwsgi");
    expect(titled("/usr/bin/uwsgi", "uWSGI worker 1")).toBe("uWSGI");
  });
});

describe("Java", () => {
  test.each([
    ["java -Xmx64m -jar orders.jar", "orders.jar"],
    [
      "java -XX:+UseG1GC -Dspring.profiles.active=prod -javaagent:/otel.jar -jar /app/orders.jar --server.port=1",
      "orders.jar",
    ],
    ["java -cp /app/lib/*:/app/classes com.acme.orders.Main --verbose", "orders/Main"],
    ["java -classpath /opt/kafka/libs/* kafka.Kafka /etc/kafka.properties", "Kafka"],
    ["java --add-opens java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED -jar a.jar", "a.jar"],
    ["java --module-path /mods -m com.acme.orders/com.acme.orders.Main", "orders/Main"],
    ["java -p /mods --add-modules ALL-SYSTEM --module com.acme.orders", "orders"],
    ["java @/etc/jvm.options com.acme.Main", "acme/Main"],
    ["java @/etc/jvm.options @/etc/app.options", "java"],
    ["java --source 21 Orders.java", "Orders.java"],
    ["java -jar /srv/orders/main.jar", "orders/main.jar"],
    ["java -version", "java"],
    ["java -jar", "java"],
  ])("%s", (commandLine, name) => {
    expect(nameOf("/usr/lib/jvm/java-17-openjdk-amd64/bin/java", commandLine)).toBe(name);
  });
});

describe("Ruby, PHP, Perl and .NET", () => {
  test.each([
    ["/usr/bin/ruby3.1", "ruby -Ilib -rbundler/setup app.rb", "app.rb"],
    ["/usr/bin/ruby3.1", "ruby -I lib -r ./boot /srv/shop/bin/rails server", "shop/rails"],
    ["/usr/local/bin/ruby", "ruby /usr/local/bundle/bin/sidekiq -C config.yml", "sidekiq"],
    ["/usr/local/bin/ruby", "ruby -ne puts($_) access.log", "ruby"],
    ["/usr/bin/php8.2", "php artisan queue:work --tries=3", "artisan:queue:work"],
    ["/usr/bin/php8.2", "php -d memory_limit=1G bin/console messenger:consume", "console:messenger:consume"],
    ["/usr/bin/php8.2", "php -f cron.php", "cron.php"],
    ["/usr/bin/php8.2", "php -S 0.0.0.0:8000 -t public", "php"],
    ["/usr/bin/perl", "/usr/bin/perl -T -w /usr/sbin/spamd --create-prefs", "spamd"],
    ["/usr/bin/perl", "perl -I lib daemon.pl", "daemon.pl"],
    ["/usr/bin/perl", "perl -lane print$F[0] access.log", "perl"],
    ["/usr/bin/perl", "perl -e sleep(9)", "perl"],
    ["/usr/share/dotnet/dotnet", "dotnet Shop.Api.dll", "Shop.Api.dll"],
    [
      "/usr/share/dotnet/dotnet",
      "dotnet exec --runtimeconfig a.json --depsfile b.json /app/Shop.Api.dll",
      "Shop.Api.dll",
    ],
    ["/usr/share/dotnet/dotnet", "dotnet --roll-forward Major Shop.Api.dll", "Shop.Api.dll"],
    ["/usr/share/dotnet/dotnet", "dotnet run --project src/Shop.Api", "Shop.Api"],
    ["/app/Shop.Api", "/app/Shop.Api", "Shop.Api"],
  ])("%s: %s", (exe, commandLine, name) => {
    const called = commandLine.split(" ", 1)[0]?.split("/").at(-1);
    expect(nameOf(exe, commandLine, called)).toBe(name);
  });

  test.each([
    ["/usr/local/bin/ruby", "puma 6.4.0 (tcp://0.0.0.0:3000) [shop]", "shop/puma"],
    ["/usr/local/bin/ruby", "puma: cluster worker 0: 21 [shop]", "shop/puma"],
    ["/usr/local/bin/ruby", "sidekiq 7.2.0 shop [0 of 10 busy]", "shop/sidekiq"],
    ["/usr/local/bin/ruby", "unicorn master -c config/unicorn.rb -E production", "unicorn"],
    ["/usr/sbin/php-fpm8.2", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "php-fpm"],
    ["/usr/sbin/php-fpm8.2", "php-fpm: pool www", "php-fpm"],
  ])("%s with the title %j", (exe, title, name) => {
    expect(titled(exe, title)).toBe(name);
  });
});

describe("shells", () => {
  test.each([
    ["/usr/bin/bash", "bash /srv/backup.sh --all", "bash", "backup.sh"],
    ["/usr/bin/bash", "bash -eu -o pipefail backup.sh", "bash", "backup.sh"],
    ["/usr/bin/dash", "/bin/sh /docker-entrypoint.sh nginx", "sh", "docker-entrypoint.sh"],
    ["/bin/busybox", "/bin/sh /docker-entrypoint.sh nginx", "sh", "docker-entrypoint.sh"],
    ["/usr/bin/dash", "/bin/sh -c node server.js", "sh", "sh"],
    ["/usr/bin/bash", "bash -lc sleep 9", "bash", "bash"],
    ["/usr/bin/bash", "-bash", "bash", "bash"],
    ["/usr/bin/zsh", "zsh -f job.zsh", "zsh", "job.zsh"],
    ["/usr/bin/bash", "bash", "bash", "bash"],
    // run by its first line, the kernel calls the process after the script
    ["/usr/bin/bash", "/bin/bash /srv/orders/bin/start", "start", "orders/start"],
    ["/usr/bin/bash", "bash /dev/fd/63", "bash", "bash"],
  ])("%s: %s", (exe, commandLine, comm, name) => {
    expect(nameOf(exe, commandLine, comm)).toBe(name);
  });
});

describe("servers that set their title", () => {
  test.each([
    ["/usr/sbin/nginx", "nginx: master process nginx -g daemon off;", "nginx"],
    ["/usr/sbin/nginx", "nginx: worker process", "nginx"],
    ["/usr/lib/postgresql/15/bin/postgres", "postgres: checkpointer ", "postgres"],
    ["/usr/lib/postgresql/15/bin/postgres", "postgres: postgres shop [local] SELECT", "postgres"],
    ["/usr/sbin/sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "sshd"],
    ["/usr/local/bin/redis-server", "redis-server *:6379", "redis-server"],
  ])("%s: %s", (exe, title, name) => {
    expect(titled(exe, title, name)).toBe(name);
    expect(titled(undefined, title, name)).toBe(name); // the link may not be read
  });
});

describe("everything else is called after its program", () => {
  test.each([
    ["/usr/lib/postgresql/15/bin/postgres", "/usr/lib/postgresql/15/bin/postgres -D /srv/db", "postgres", "postgres"],
    ["/usr/sbin/mariadbd", "/usr/sbin/mariadbd --user=mysql", "mariadbd", "mariadbd"],
    ["/usr/local/bin/prometheus", "/bin/prometheus --config.file=/etc/prometheus.yml", "prometheus", "prometheus"],
    [
      "/usr/bin/containerd-shim-runc-v2",
      "/usr/bin/containerd-shim-runc-v2 -namespace moby",
      "containerd-shim",
      "containerd-shim-runc-v2",
    ],
    // programs of many names: as they were called, where the kernel confirms it
    ["/bin/busybox", "sleep 600", "sleep", "sleep"],
    ["/bin/busybox", "/usr/sbin/crond -f -l 8", "crond", "crond"],
    ["/usr/bin/redis-check-rdb", "redis-server --port 6379", "redis-server", "redis-server"],
    // a made-up first argument, and a thread that renamed itself
    ["/usr/local/bin/api", "harmless --serve", "api", "api"],
    ["/usr/local/bin/api", "/usr/local/bin/api --serve", "main-loop", "api"],
    // replaced on disk by an update
    ["/usr/local/bin/api (deleted)", "/usr/local/bin/api --serve", "api", "api"],
    ["/usr/local/bin/api (deleted)", "harmless --serve", "main-loop", "api"],
    ["/usr/local/bin/node (deleted)", "node server.js", "MainThread", "server.js"],
  ])("%s: %s", (exe, commandLine, comm, name) => {
    expect(nameOf(exe, commandLine, comm)).toBe(name);
  });

  test("also when it was started by a path with blanks that is its only argument", () => {
    const exe = "/opt/Acme Tools/order service";
    expect(defaultName({ comm: "order service", exe, argv: [exe] }).name).toBe("order service");
    expect(defaultName({ comm: "order service", exe: undefined, argv: [exe] }).name).toBe("order service");
  });

  test("Debian's redis writes its path into the title, and runs a program of another name", () => {
    const title = "/usr/bin/redis-server 127.0.0.1:6379";
    expect(titled("/usr/bin/redis-check-rdb", title, "redis-server")).toBe("redis-server");
  });
});

describe("what the kernel does not tell", () => {
  test.each([
    ["no link, a path", { comm: "api", exe: undefined, argv: ["/srv/bin/api", "-v"] }, "api"],
    ["no link, a script", { comm: "MainThread", exe: undefined, argv: ["node", "server.js"] }, "server.js"],
    ["no arguments", { comm: "api", exe: "/srv/bin/api", argv: [] }, "api"],
    ["neither", { comm: "kworker/0:1", exe: undefined, argv: [] }, "kworker/0:1"],
    ["an empty first argument", { comm: "api", exe: undefined, argv: [""] }, "api"],
    ["an empty first argument, and a link", { comm: "x", exe: "/srv/bin/api", argv: [""] }, "api"],
    ["nothing at all", { comm: "", exe: undefined, argv: [] }, "unknown"],
    ["a program run from memory", { comm: "3", exe: "/memfd:loader (deleted)", argv: ["api", "-v"] }, "api"],
    ["a program run from memory, without arguments", { comm: "loader", exe: "/memfd:x (deleted)", argv: [] }, "loader"],
    ["a program run by its descriptor", { comm: "5", exe: "/dev/fd/5", argv: ["api"] }, "api"],
    [
      "a script run by its descriptor",
      { comm: "python3", exe: "/usr/bin/python3", argv: ["python3", "/proc/self/fd/5"] },
      "python3",
    ],
    [
      "bytes that are no text",
      { comm: "\ufffd", exe: "/srv/\ufffd\ufffd run", argv: ["/srv/\ufffd\ufffd run", "1"] },
      "\ufffd\ufffd run",
    ],
    [
      "empty arguments before the script",
      { comm: "node", exe: "/bin/node", argv: ["node", "", "server.js"] },
      "server.js",
    ],
  ])("%s", (_, sources, name) => {
    expect(defaultName(sources).name).toBe(name);
  });

  test("long names are cut, since they become label values", () => {
    const { name } = defaultName({ comm: "node", exe: "/bin/node", argv: ["node", `${"x".repeat(5000)}.js`] });
    expect(name).toBe("x".repeat(128));
  });
});

test("defaultName is never empty, never longer than 128, and never throws", () => {
  const word = fc.oneof(
    anyText,
    fc.constantFrom(
      "node",
      "python3",
      "java",
      "sh",
      "-m",
      "-jar",
      "-c",
      "-e",
      "--",
      "/",
      ".",
      "a: b",
      "[",
      "/memfd:x",
      " ",
      ":",
    ),
  );
  fc.assert(
    fc.property(word, fc.option(word, { nil: undefined }), fc.array(word, { maxLength: 5 }), (comm, exe, argv) => {
      const { name } = defaultName({ comm, exe, argv });
      expect(name.length).toBeGreaterThan(0);
      expect(name.length).toBeLessThanOrEqual(128);
    }),
  );
});
