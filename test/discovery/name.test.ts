import path from "node:path";
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
    ["PM2 v5.3.0: God Daemon (/srv/shop/.pm2)", "PM2"],
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

/** A process at a place: its folder, and its unit. */
function placed(commandLine: string, { cwd, unit, exe }: { cwd?: string; unit?: string; exe?: string } = {}) {
  const argv = commandLine.split(" ");
  const comm = path.basename(argv[0] ?? "").slice(0, 15);
  return defaultName({ comm, argv, exe, unit, cwd: () => cwd });
}

describe("what says nothing by itself gets the folder or the unit that it runs in", () => {
  test.each([
    // relative to the folder that it runs in
    ["node .", { cwd: "/srv/shop" }, "shop"],
    ["node .", { cwd: "/srv/shop-2.1.0" }, "shop"],
    ["node .", { cwd: "/srv/shop/releases/20261001120000" }, "shop"],
    ["node ./", { cwd: "/home/deploy/shop/current" }, "shop"],
    ["node dist", { cwd: "/srv/shop" }, "shop"],
    ["node dist/main", { cwd: "/srv/shop" }, "shop/main"],
    ["node server", { cwd: "/srv/shop" }, "shop/server"],
    ["node index.js", { cwd: "/srv/shop/dist" }, "shop/index.js"],
    ["node ../index.js", { cwd: "/srv/shop/dist" }, "shop/index.js"],
    ["python3 app.py", { cwd: "/srv/shop" }, "shop/app.py"],
    ["python3 -m app", { cwd: "/srv/shop" }, "shop/app"],
    ["java -jar app.jar", { cwd: "/srv/orders" }, "orders/app.jar"],
    // by the unit where the path is that of an image
    ["java -jar /app.jar", { cwd: "/", unit: "orders.service" }, "orders/app.jar"],
    ["java -jar /app/app.jar", { cwd: "/srv/orders" }, "orders/app.jar"],
    ["java -jar /app.jar", { unit: "orders@3.service" }, "orders/app.jar"],
    ["java -jar /app.jar", { unit: "orders@eu.service" }, "orders@eu/app.jar"],
    ["java -jar /app.jar", { unit: "orders-1.4.2.service" }, "orders/app.jar"],
    ["java -jar /app.jar", { unit: "my\\x2dorders.service" }, "my-orders/app.jar"],
    ["java -jar /quarkus-app/quarkus-run.jar", {}, "quarkus-app/quarkus-run.jar"],
    ["node .", { unit: "shop.service" }, "shop"],
    ["node dist/main", { unit: "shop.service" }, "shop/main"],
    ["node dist/main", { cwd: "/srv/checkout", unit: "shop.service" }, "shop/main"], // as its user called it
    ["node packages/orders/index.js", { unit: "shop.service" }, "orders/index.js"],
    ["/app/main --port 80", { exe: "/app/main", unit: "orders.service" }, "orders/main"],
    ["/srv/orders/bin/server", { exe: "/srv/orders/bin/server" }, "orders/server"],
    // supervisors start other people's programs
    ["node .", { unit: "cron.service" }, "node"],
    ["node .", { cwd: "/", unit: "supervisor.service" }, "node"],
    ["java -jar /app.jar", { cwd: "/srv/orders", unit: "pm2-deploy.service" }, "orders/app.jar"],
    // nothing is known: a container's image, whose name comes before this one
    ["node .", { cwd: "/usr/src/app" }, "node"],
    ["java -jar /app.jar", { cwd: "/" }, "app.jar"],
    ["node dist/main", { cwd: "/app" }, "main"],
    // not asked for where a name says enough
    ["node server.js", { cwd: "/srv/shop", unit: "shop.service" }, "server.js"],
    ["java -jar orders.jar", { cwd: "/srv/shop" }, "orders.jar"],
    ["python3 -c pass --multiprocessing-fork", { cwd: "/srv/shop" }, "python3"],
  ])("%s in %o", (commandLine, place, name) => {
    expect(placed(commandLine, place).name).toBe(name);
  });

  test("and nobody asks for the folder where it does not matter", () => {
    let asked = 0;
    const cwd = () => {
      asked++;
      return "/srv";
    };
    defaultName({ comm: "node", exe: "/usr/bin/node", argv: ["node", "/srv/shop/server.js"], cwd });
    defaultName({ comm: "nginx", exe: "/usr/sbin/nginx", argv: ["nginx: worker process"], cwd });
    expect(asked).toBe(0);
  });
});

// Their arguments and titles are those that their sources write: gunicorn/util.py, celery/platforms.py, puma/cluster/worker.rb,
// sidekiq/launcher.rb, unicorn/http_server.rb, npm/lib/npm.js, pm2/lib/God.js, next/dist/server/lib/start-server.js,
// spring-boot-loader, postgres' ps_status.c, passenger's prespawn, erlexec.
describe("launchers are called after their app", () => {
  test.each([
    ["gunicorn -w 4 -b 0.0.0.0:8000 shop.wsgi:application", "shop/gunicorn"],
    ["gunicorn --workers 4 app:app", "gunicorn"],
    ["gunicorn -k uvicorn.workers.UvicornWorker -c conf.py shop.main:app", "shop/gunicorn"],
    ["uvicorn app:app --port 8000", "uvicorn"],
    ["uvicorn app.main:create_app --factory", "uvicorn"],
    ["uvicorn shop.main:app --reload", "shop/uvicorn"],
    ["hypercorn shop:app", "shop/hypercorn"],
    ["celery -A shop worker -c 4", "shop/celery"],
    ["celery --app=shop.celery_app:app worker", "shop/celery"],
    ["celery -A shop beat", "shop/celery:beat"],
    ["flask run --host 0.0.0.0", "flask"],
    ["flask --app shop run", "shop/flask"],
    ["flask --app shop worker", "shop/flask:worker"],
    ["rq worker high low", "rq"],
    ["opentelemetry-instrument gunicorn shop.wsgi", "shop/gunicorn"],
  ])("Python: %s", (commandLine, name) => {
    const argv = ["/usr/local/bin/python3.11", ...`/usr/local/bin/${commandLine}`.split(" ")];
    expect(defaultName({ comm: "python3.11", exe: argv[0], argv }).name).toBe(name);
  });

  test.each([
    ["gunicorn app:app", { cwd: "/srv/shop" }, "shop/gunicorn"],
    ["uvicorn app:app", { unit: "shop.service" }, "shop/uvicorn"],
    ["flask run", { cwd: "/srv/shop" }, "shop/flask"],
    ["gunicorn app:app", { cwd: "/srv/shop", unit: "gunicorn.service" }, "shop/gunicorn"],
  ])("Python, by its place: %s in %o", (commandLine, { cwd, unit }: { cwd?: string; unit?: string }, name) => {
    const argv = ["/usr/bin/python3", ...`/usr/local/bin/${commandLine}`.split(" ")];
    expect(defaultName({ comm: "gunicorn", exe: "/usr/bin/python3.11", argv, unit, cwd: () => cwd }).name).toBe(name);
  });

  test("Python, by the virtual environment in its folder", () => {
    const argv = "/srv/shop/venv/bin/python3 /srv/shop/venv/bin/gunicorn app:app".split(" ");
    expect(defaultName({ comm: "gunicorn", exe: "/usr/bin/python3.11", argv }).name).toBe("shop/gunicorn");
  });

  test.each([
    ["ruby /usr/local/bin/bundle exec puma -C config/puma.rb", {}, "puma"],
    ["ruby /usr/local/bin/bundle exec puma -C config/puma.rb", { cwd: "/srv/shop/current" }, "shop/puma"],
    ["ruby /usr/local/bin/bundle exec rake jobs:work", { cwd: "/srv/shop" }, "shop/rake:jobs:work"],
    ["ruby bin/rails server -p 3000", { cwd: "/srv/shop" }, "shop/rails"],
    ["php artisan queue:work --tries=3", { cwd: "/var/www/html" }, "artisan:queue:work"],
    ["php /srv/shop/artisan schedule:work", {}, "shop/artisan:schedule:work"],
    ["php bin/console messenger:consume async", { cwd: "/srv/shop" }, "shop/console:messenger:consume"],
    ["python3 manage.py runserver", { cwd: "/srv/shop" }, "shop/manage.py"],
    ["python3 manage.py qcluster", { cwd: "/srv/shop" }, "shop/manage.py:qcluster"],
    ["node /usr/lib/node_modules/npm/bin/npm-cli.js run worker", { cwd: "/srv/shop" }, "shop/npm:worker"],
    ["node /usr/local/bin/yarn start", { cwd: "/srv/shop" }, "shop/yarn"],
    ["node /srv/shop/node_modules/.bin/next start", {}, "shop/next"],
    ["node /srv/shop/node_modules/.bin/tsx src/worker.ts", {}, "worker.ts"],
    ["java org.springframework.boot.loader.launch.JarLauncher", { cwd: "/srv/orders" }, "orders"],
    ["java org.springframework.boot.loader.JarLauncher", { unit: "orders.service" }, "orders"],
    ["java org.springframework.boot.loader.launch.JarLauncher", { cwd: "/application" }, "java"],
    ["java -Dspring.application.name=orders -jar /app.jar", { cwd: "/" }, "orders/app.jar"],
    ["java -Dotel.service.name=orders org.springframework.boot.loader.launch.JarLauncher", {}, "orders"],
    ["java -cp /app/lib/* com.shop.orders.OrdersApplication", {}, "OrdersApplication"],
    ["java -cp /app/lib/* org.apache.catalina.startup.Bootstrap start", {}, "catalina/Bootstrap"],
  ])("%s in %o", (commandLine, place, name) => {
    expect(placed(commandLine, place).name).toBe(name);
  });

  test.each([
    ["the names of nodes", "-sname shop@10.0.0.7", "shop"],
    ["their long ones", "-name rabbit@rabbit-1.example.org", "rabbit"],
    ["without a replica", "-sname shop_3@host", "shop"],
  ])("Erlang's machine after %s", (_, node, name) => {
    const argv = `/app/erts-13.1/bin/beam.smp -- -root /app -progname erl -- -home /root -- ${node} -boot /app/releases/0.1.0/start`;
    expect(placed(argv, { exe: "/app/erts-13.1/bin/beam.smp" })).toEqual({ name, version: "0.1.0" });
  });

  test("Erlang's machine without a node", () => {
    expect(placed("/usr/lib/erlang/erts-13.1/bin/beam.smp -- -noshell").name).toBe("beam.smp");
  });
});

describe("the workers of one master get the master's name", () => {
  const ruby = "/usr/local/bin/ruby";
  test.each<[string, string | undefined, string[], string]>([
    [
      "gunicorn",
      "/usr/bin/python3.11",
      ["gunicorn: master [shop:app]", "gunicorn: worker [shop:app]"],
      "shop/gunicorn",
    ],
    [
      "gunicorn of app:app",
      "/usr/bin/python3.11",
      ["gunicorn: master [app:app]", "gunicorn: worker [app:app]"],
      "gunicorn",
    ],
    [
      "celery",
      "/usr/bin/python3.11",
      ["[celeryd: celery@shop-1:MainProcess] -active- (worker -A shop)", "[celeryd: celery@shop-1:ForkPoolWorker-3]"],
      "celery",
    ],
    [
      "nginx",
      "/usr/sbin/nginx",
      ["nginx: master process nginx -g daemon off;", "nginx: worker process", "nginx: worker process is shutting down"],
      "nginx",
    ],
    [
      "postgres",
      "/usr/lib/postgresql/15/bin/postgres",
      ["postgres: 15/main: checkpointer ", "postgres: 15/main: walwriter ", "postgres: postgres shop [local] SELECT"],
      "postgres",
    ],
    [
      "php-fpm",
      "/usr/sbin/php-fpm8.2",
      ["php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "php-fpm: pool www", "php-fpm: pool shop"],
      "php-fpm",
    ],
    ["puma", ruby, ["puma 6.4.0 (tcp://0.0.0.0:3000) [shop]", "puma: cluster worker 0: 21 [shop]"], "shop/puma"],
    [
      "puma in a release",
      ruby,
      ["puma 6.4.0 (tcp://[::]:3000) [20261001120000]", "puma: cluster worker 0: 21 [20261001120000]"],
      "puma",
    ],
    [
      "unicorn",
      ruby,
      ["unicorn master -c unicorn.rb", "unicorn worker[0] -c unicorn.rb", "unicorn master (old) -c unicorn.rb"],
      "unicorn",
    ],
    [
      "sidekiq",
      ruby,
      ["sidekiq 7.1.0 shop [0 of 5 busy]", "sidekiq 7.2.0 shop [5 of 5 busy] stopping"],
      "shop/sidekiq",
    ],
    [
      "Passenger",
      ruby,
      ["Passenger AppPreloader: /srv/shop", "Passenger RubyApp: /srv/shop (production)"],
      "shop/Passenger",
    ],
    ["a service of its own", "/usr/bin/node", ["worker-1", "worker-2"], "worker"],
    ["one that says more", "/usr/bin/node", ["orders-1: idle", "orders-2: busy"], "orders"],
  ])("%s", (_, exe, titlesOfAll, name) => {
    expect(titlesOfAll.map((title) => titled(exe, title))).toEqual(titlesOfAll.map(() => name));
  });
});

describe("the version that is cut off is kept", () => {
  test.each([
    ["java -jar /srv/orders/orders-1.4.2.jar", "orders.jar", "1.4.2"],
    ["node /opt/shop-2.1.0/index.js", "shop/index.js", "2.1.0"],
    ["node /opt/shop-2.1.0/server.js", "server.js", "2.1.0"],
    ["node /srv/api/releases/20261001120000/dist/main.js", "api/main.js", "20261001120000"],
    ["/usr/local/bin/gateway-v3.4.1 --port 80", "gateway", "v3.4.1"],
    ["/usr/sbin/php-fpm8.2 -F", "php-fpm", "8.2"],
    ["/home/me/.local/share/tool/versions/1.0.33", "tool", "1.0.33"],
    ["/srv/shop/3f9c2d1a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e/bin/api", "api", "3f9c2d1a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e"],
    // that of a runtime or of a launcher is not the app's
    ["node /opt/nvm/versions/node/v20.1.0/bin/pm2-dev", "pm2-dev", undefined],
    ["/usr/lib/jvm/java-17.0.2/bin/java -jar orders.jar", "orders.jar", undefined],
    ["ruby /usr/local/lib/ruby/gems/3.2.0/gems/puma-6.4.0/exe/puma", "puma", undefined],
    ["python3 /usr/lib/python3.11/site-packages/shop/worker.py", "worker.py", undefined],
    ["node server.js", "server.js", undefined],
  ])("of %s", (commandLine, name, version) => {
    const [first = ""] = commandLine.split(" ");
    expect(placed(commandLine, { exe: first.startsWith("/") ? first : `/usr/bin/${first}` })).toEqual({
      name,
      version,
    });
  });

  test("of a program that hides it behind a title", () => {
    const exe = "/usr/sbin/php-fpm8.2";
    expect(defaultName({ comm: "php-fpm8.2", exe, argv: ["php-fpm: pool www"] }).version).toBe("8.2");
    expect(defaultName({ comm: "php-fpm8.2", exe: undefined, argv: ["php-fpm: pool www"] }).version).toBeUndefined();
  });

  test("of a title", () => {
    expect(
      defaultName({ comm: "PM2", exe: "/usr/bin/node", argv: ["PM2 v5.3.0: God Daemon (/srv/shop/.pm2)"] }),
    ).toEqual({
      name: "PM2",
      version: "5.3.0",
    });
  });
});

describe("scripts of random names fold into one", () => {
  const uuid = () => crypto.randomUUID();
  const digits = () => String(Math.trunc(Math.random() * 9e9) + 1e9);
  const letters = () => Math.random().toString(36).slice(2, 10).padEnd(8, "0");

  test.each<[string, () => string, string]>([
    ["GitHub's runner", () => `sh /home/runner/_temp/${uuid()}.sh`, "runner/*.sh"],
    ["Azure's agent", () => `bash /srv/azp/_work/_temp/${uuid()}.sh`, "azp/*.sh"],
    ["Python's temporary folders", () => `python3 /tmp/tmp${letters()}/run.py`, "run.py"],
    ["Python's temporary files", () => `python3 /tmp/tmp${letters()}.py`, "*.py"],
    ["mktemp's", () => `bash /tmp/tmp.${letters()}Xy`, "bash"],
    ["Jenkins", () => `sh -xe /tmp/jenkins${digits()}.sh`, "jenkins.sh"],
    ["go run", () => `/tmp/go-build${digits()}/b001/exe/main`, "go-build/main"],
    ["a job's own folder", () => `python3 /srv/jobs/${uuid()}/main.py`, "jobs/main.py"],
  ])("%s", (_, commandLine, name) => {
    const names = Array.from({ length: 40 }, () => placed(commandLine()).name);
    expect([...new Set(names)]).toEqual([name]);
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
