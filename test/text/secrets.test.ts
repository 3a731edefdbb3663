// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shells write ${NAME}
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redacted, withoutSecrets, withoutSecretWords } from "../../exporter/text/secrets.ts";
import { cpuSeconds, hostileTexts, mostCpuSeconds } from "../support/hostile-text.ts";

/** A command line whose arguments have no blanks. */
const shown = (commandLine: string) => withoutSecrets(commandLine.split(" ")).join(" ");
/** One argument with blanks, quotes or newlines, behind a program. */
const argument = (text: string) => withoutSecrets(["app", text])[1];

describe("an option with a telling name", () => {
  test.each([
    ["app --password=hunter2 --port=80", "app --password=*** --port=80"],
    ["app --password hunter2 --port 80", "app --password *** --port 80"],
    ["app -password hunter2", "app -password ***"],
    ["app -password=hunter2", "app -password=***"],
    ["app --password=a=b&c;d", "app --password=***"],
    ["app --db-password=hunter2", "app --db-password=***"],
    ["app --db_password hunter2", "app --db_password ***"],
    ["app --dbPassword=hunter2", "app --dbPassword=***"],
    ["app --DBPassword hunter2", "app --DBPassword ***"],
    ["app --spring.datasource.password=hunter2", "app --spring.datasource.password=***"],
    ["app --passwd hunter2", "app --passwd ***"],
    ["app --pass hunter2", "app --pass ***"],
    ["app --dbpass=hunter2", "app --dbpass=***"],
    ["app --rootpw hunter2", "app --rootpw ***"],
    ["app --passphrase hunter2", "app --passphrase ***"],
    ["app --passwort hunter2", "app --passwort ***"],
    ["app --token hunter2", "app --token ***"],
    ["app --apitoken hunter2", "app --apitoken ***"],
    ["app --oauth2-bearer hunter2", "app --oauth2-bearer ***"],
    ["app --secret hunter2", "app --secret ***"],
    ["app --client-secret=hunter2", "app --client-secret=***"],
    ["app --session-secret hunter2", "app --session-secret ***"],
    ["app --jwt-secret=hunter2", "app --jwt-secret=***"],
    ["app --apiKey hunter2", "app --apiKey ***"],
    ["app --API_KEY hunter2", "app --API_KEY ***"],
    ["app --APIKEY=hunter2", "app --APIKEY=***"],
    ["app --private-key hunter2", "app --private-key ***"],
    ["app --encryption-key=hunter2", "app --encryption-key=***"],
    ["app --AWSSecretKey=hunter2", "app --AWSSecretKey=***"],
    ["app --hmac-key=0123456789abcdef", "app --hmac-key=***"],
    ["app --key 0123456789abcdef", "app --key ***"],
    ["app --psk=hunter2", "app --psk=***"],
    ["app --dsn=user:hunter2@tcp(db)/shop", "app --dsn=***"],
    ["app --connection-string Server=db;Pwd=hunter2", "app --connection-string ***"],
    ["app --basic-auth admin:hunter2", "app --basic-auth ***"],
    ["app --proxyauth=admin:hunter2", "app --proxyauth=***"],
    ["app --creds admin:hunter2", "app --creds ***"],
    ["app --user=admin:hunter2", "app --user=***"],
    ["app --proxy-user admin:hunter2", "app --proxy-user ***"],
    ["app --login admin:hunter2", "app --login ***"],
    ["app -u admin:hunter2 -U admin:hunter2", "app -u *** -U ***"],
    ["app /password:hunter2", "app /password:***"],
    ["app /p:Password=hunter2", "app /p:Password=***"],
    ["app /password hunter2", "app /password ***"],
    ["app --password:hunter2", "app --password:***"],
    ["app --token -hunter2", "app --token ***"],
    ["app --token --", "app --token --"],
    ["app --token ---hunter2", "app --token ***"],
    ["--password hunter2", "--password ***"],
  ])("%s", (commandLine, expected) => {
    expect(shown(commandLine)).toBe(expected);
  });

  test("takes an option behind it for an option, as after a switch", () => {
    expect(shown("app --no-token --port 80")).toBe("app --no-token --port 80");
  });

  test("and the values that follow a secret are looked at as well", () => {
    expect(shown("app --no-auth --password hunter2 --token hunter3")).toBe("app --no-auth --password *** --token ***");
    expect(shown("app --auth password hunter2")).toBe("app --auth *** ***");
  });
});

describe("a variable of the environment", () => {
  test.each([
    ["env DB_PASS=hunter2 app", "env DB_PASS=*** app"],
    ["env PGPASSWORD=hunter2 psql", "env PGPASSWORD=*** psql"],
    ["PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"],
    ["env MYSQL_PWD=hunter2 mysql", "env MYSQL_PWD=*** mysql"],
    ["env REDISCLI_AUTH=hunter2 redis-cli", "env REDISCLI_AUTH=*** redis-cli"],
    ["env AWS_SECRET_ACCESS_KEY=hunter2 app", "env AWS_SECRET_ACCESS_KEY=*** app"],
    ["env BORG_PASSPHRASE=hunter2 borg serve", "env BORG_PASSPHRASE=*** borg serve"],
    ["env APP_KEY=base64:0123456789abcdef php", "env APP_KEY=*** php"],
    ["env ConnectionStrings__Default=Server=db;Pwd=hunter2 dotnet", "env ConnectionStrings__Default=*** dotnet"],
    ["docker run -e PASSWORD=hunter2 nginx", "docker run -e PASSWORD=*** nginx"],
    ["docker run -ePASSWORD=hunter2 nginx", "docker run -ePASSWORD=*** nginx"],
    ["docker run --env=API_TOKEN=hunter2 nginx", "docker run --env=API_TOKEN=*** nginx"],
    ["docker build --build-arg NPM_TOKEN=hunter2 .", "docker build --build-arg NPM_TOKEN=*** ."],
    ["gunicorn --env SECRET_KEY=hunter2 shop:app", "gunicorn --env SECRET_KEY=*** shop:app"],
    ["gunicorn -eSECRET_KEY=hunter2 shop:app", "gunicorn -eSECRET_KEY=*** shop:app"],
  ])("%s", (commandLine, expected) => {
    expect(shown(commandLine)).toBe(expected);
  });
});

describe("a program of which it is known", () => {
  test.each([
    ["mysql -uroot -phunter2 shop", "mysql -uroot -p*** shop"],
    ["/usr/bin/mysqldump -phunter2 shop", "/usr/bin/mysqldump -p*** shop"],
    ["mysqlcheck -phunter2", "mysqlcheck -p***"],
    ["mariadb-admin -phunter2", "mariadb-admin -p***"],
    ["mariadb-backup --password=hunter2", "mariadb-backup --password=***"],
    ["docker exec db mysql -phunter2", "docker exec db mysql -p***"],
    ["timeout 5 sudo -n mysql -phunter2", "timeout 5 sudo -n mysql -p***"],
    ["redis-cli -a hunter2 ping", "redis-cli -a *** ping"],
    ["redis-cli -ahunter2 ping", "redis-cli -a*** ping"],
    ["redis-cli -u redis://:hunter2@cache ping", "redis-cli -u redis://***@cache ping"],
    ["redis-cli --pass hunter2", "redis-cli --pass ***"],
    ["redis-cli -h cache AUTH shop hunter2", "redis-cli -h cache AUTH *** ***"],
    ["redis-cli CONFIG SET requirepass hunter2", "redis-cli CONFIG SET requirepass ***"],
    ["redis-server --requirepass hunter2 --masterauth hunter3", "redis-server --requirepass *** --masterauth ***"],
    ["curl -u admin:hunter2 http://api", "curl -u *** http://api"],
    ["curl -sSuadmin:hunter2 http://api", "curl -sSu*** http://api"],
    ["curl -sSu admin:hunter2 http://api", "curl -sSu *** http://api"],
    ["curl -U admin:hunter2 http://api", "curl -U *** http://api"],
    ["curl -b session=hunter2 http://api", "curl -b *** http://api"],
    ["curl -E client.pem:hunter2 http://api", "curl -E *** http://api"],
    ["curl --cert client.pem:hunter2 http://api", "curl --cert *** http://api"],
    ["curl -d user=a&password=hunter2 http://api", "curl -d user=a&password=*** http://api"],
    ["kubectl --token=hunter2 get pods", "kubectl --token=*** get pods"],
    ["kubectl --token hunter2 get pods", "kubectl --token *** get pods"],
    ["kubectl create cm x --from-literal=user=hunter2", "kubectl create cm x --from-literal=***"],
    ["kubectl create cm x --from-literal user=hunter2", "kubectl create cm x --from-literal ***"],
    ["kubectl create x --docker-password=hunter2", "kubectl create x --docker-password=***"],
    ["docker login -u me -p hunter2 hub", "docker login -u me -p *** hub"],
    ["docker login -phunter2 hub", "docker login -p*** hub"],
    ["helm registry login -u me -p hunter2 hub", "helm registry login -u me -p *** hub"],
    ["az acr login -u me -p hunter2", "az acr login -u me -p ***"],
    ["skopeo copy --src-creds=me:hunter2 docker://a", "skopeo copy --src-creds=*** docker://a"],
    ["psql postgresql://shop:hunter2@db/shop", "psql postgresql://***@db/shop"],
    ["sshpass -p hunter2 ssh db", "sshpass -p *** ssh db"],
    ["sshpass -phunter2 ssh db", "sshpass -p*** ssh db"],
    ["openssl rsa -passin pass:hunter2 -in a.pem", "openssl rsa -passin *** -in a.pem"],
    ["openssl req -passout pass:hunter2", "openssl req -passout ***"],
    ["openssl enc -aes256 -k hunter2 -in a", "openssl enc -aes256 -k *** -in a"],
    ["openssl enc -pass pass:hunter2", "openssl enc -pass ***"],
    ["ssh-keygen -f key -N hunter2", "ssh-keygen -f key -N ***"],
    ["ansible-playbook --extra-vars db_password=hunter2 a.yml", "ansible-playbook --extra-vars db_password=*** a.yml"],
    ["ansible-playbook -e ansible_become_pass=hunter2", "ansible-playbook -e ansible_become_pass=***"],
    ["terraform apply -var db_password=hunter2", "terraform apply -var db_password=***"],
    ["terraform apply -var=db_password=hunter2", "terraform apply -var=db_password=***"],
    ["terraform init -backend-config=secret_key=hunter2", "terraform init -backend-config=secret_key=***"],
    ["rclone mount --s3-secret-access-key hunter2 a: b", "rclone mount --s3-secret-access-key *** a: b"],
    ["rclone rcd --rc-pass=hunter2", "rclone rcd --rc-pass=***"],
    ["rclone config create a s3 secret_access_key hunter2", "rclone config create a s3 secret_access_key ***"],
    ["rclone lsd :webdav,user=me,pass=hunter2:", "rclone lsd :webdav,user=me,pass=***"],
    ["rclone obscure hunter2", "rclone obscure ***"],
    ["restic -r rest:https://me:hunter2@store/ backup", "restic -r rest:https://***@store/ backup"],
    ["mc alias set store http://minio admin hunter2", "mc alias set store http://minio *** ***"],
    ["mc --insecure alias set store http://minio admin hunter2", "mc --insecure alias set store http://minio *** ***"],
    ["mc config host add store http://minio admin hunter2", "mc config host add store http://minio *** ***"],
    ["mc admin user add store shop hunter2", "mc admin user add store *** ***"],
    ["keytool -list -storepass hunter2 -keystore a", "keytool -list -storepass *** -keystore a"],
    ["keytool -keypass hunter2 -deststorepass hunter3", "keytool -keypass *** -deststorepass ***"],
    ["dotnet user-secrets set Db:Password hunter2", "dotnet user-secrets set Db:Password ***"],
    ["dotnet user-secrets set Anything hunter2", "dotnet user-secrets set Anything ***"],
    ["dotnet nuget push a.nupkg -k hunter2", "dotnet nuget push a.nupkg -k ***"],
    [
      "dotnet Shop.dll --ConnectionStrings:Shop=Server=db;Password=hunter2",
      "dotnet Shop.dll --ConnectionStrings:Shop=***",
    ],
    [
      "dotnet Shop.dll --ConnectionStrings:Shop Server=db;Password=hunter2",
      "dotnet Shop.dll --ConnectionStrings:*** ***",
    ],
    [
      "java -Djavax.net.ssl.keyStorePassword=hunter2 -jar a.jar",
      "java -Djavax.net.ssl.keyStorePassword=*** -jar a.jar",
    ],
    ["java -Djavax.net.ssl.trustStorePassword=hunter2 Main", "java -Djavax.net.ssl.trustStorePassword=*** Main"],
    ["java -Dspring.datasource.password=hunter2 Main", "java -Dspring.datasource.password=*** Main"],
    ["node -r dotenv/config app.js --jwt-secret hunter2", "node -r dotenv/config app.js --jwt-secret ***"],
    ["mongosh -u me -p hunter2 db/shop", "mongosh -u me -p *** db/shop"],
    ["mongodump -phunter2", "mongodump -p***"],
    ["ldapsearch -x -D cn=me -w hunter2 uid=a", "ldapsearch -x -D cn=me -w *** uid=a"],
    ["ldappasswd -s hunter2", "ldappasswd -s ***"],
    ["mosquitto_sub -u me -P hunter2 -t a", "mosquitto_sub -u me -P *** -t a"],
    ["sqlcmd -S db -U sa -Phunter2", "sqlcmd -S db -U sa -P***"],
    ["sqlplus shop/hunter2@db", "sqlplus ***"],
    ["etcdctl --user root:hunter2 get a", "etcdctl --user *** get a"],
    ["influx -t hunter2 query", "influx -t *** query"],
    ["smbclient -U me%hunter2 //a/b", "smbclient -U *** ***"],
    ["smbclient //a/b hunter2", "smbclient //a/b ***"],
    ["mount.cifs //a/b /b -o user=me,password=hunter2", "mount.cifs //a/b /b -o user=me,password=***"],
    ["snmpwalk -v3 -A hunter2 -X hunter3 host", "snmpwalk -v3 -A *** -X *** host"],
    ["7z x -phunter2 a.7z", "7z x -p*** a.7z"],
    ["zip -P hunter2 a.zip a", "zip -P *** a.zip a"],
    ["lftp -u me,hunter2 host", "lftp -u *** host"],
    ["htpasswd -nb me hunter2", "htpasswd -nb me ***"],
    ["wpa_passphrase home hunter2", "wpa_passphrase home ***"],
    ["rabbitmqctl add_user me hunter2", "rabbitmqctl add_user me ***"],
    ["vault login hunter2", "vault login ***"],
    ["vault kv put secret/shop user=hunter2", "vault kv put secret/shop ***"],
    ["vault kv put secret/shop user=a write hunter2", "vault kv put secret/shop *** *** ***"],
    ["vault write auth/approle/login secret_id=hunter2", "vault write auth/approle/login ***"],
    ["aws configure set aws_secret_access_key hunter2", "aws configure set aws_secret_access_key ***"],
    ["npm config set //registry/:_authToken hunter2", "npm config set //registry/:_authToken ***"],
    ["npm config set //registry/:_authToken=hunter2", "npm config set //registry/:_authToken=***"],
    ["nmcli dev wifi connect home password hunter2", "nmcli dev wifi connect home password ***"],
    ["twine upload -u me -p hunter2 a.whl", "twine upload -u me -p *** a.whl"],
    ["useradd -m -p hunter2 me", "useradd -m -p *** me"],
    ["xfreerdp /u:me /p:hunter2 /v:host", "xfreerdp /u:me /p:*** /v:host"],
    ["filebeat -E output.elasticsearch.password=hunter2", "filebeat -E output.elasticsearch.password=***"],
    ["pip install --index-url https://me:hunter2@pypi/simple a", "pip install --index-url https://***@pypi/simple a"],
    ["git clone https://oauth2:hunter2@host/x.git", "git clone https://***@host/x.git"],
  ])("%s", (commandLine, expected) => {
    expect(shown(commandLine)).toBe(expected);
  });
});

describe("a URL or a connection string", () => {
  test.each([
    ["postgres://shop:hunter2@db/shop", "postgres://***@db/shop"],
    ["https://hunter2@host/x", "https://***@host/x"],
    ["redis://:hunter2@cache:6379/0", "redis://***@cache:6379/0"],
    ["mongodb+srv://shop:hunter2@a,b/shop", "mongodb+srv://***@a,b/shop"],
    ["--url=amqp://shop:hunter2@mq", "--url=amqp://***@mq"],
    ["amqp://a:hunter2@h1,amqp://b:hunter3@h2", "amqp://***@h2"],
    ["postgres://shop:hun@ter2@db/shop", "postgres://***@db/shop"],
    ["postgres://shop:hun@te@r2@db/shop", "postgres://***@db/shop"],
    ["postgres://shop:hun/ter2@db/shop", "postgres://***@db/shop"],
    ["postgres://shop:hun?ter2@db/shop", "postgres://***@db/shop"],
    ["postgres://shop:hun#ter2@db/shop", "postgres://***@db/shop"],
    ["postgres://shop:hun'ter2@db/shop", "postgres://***@db/shop"],
    [`https://${"a".repeat(3000)}@host`, "https://***@host"],
    ["shop:hunter2@tcp(db:3306)/shop", "shop:***@tcp(db:3306)/shop"],
    ["shop:hun/ter2@tcp(db:3306)/shop", "shop:***@tcp(db:3306)/shop"],
    ["DATA_SOURCE_NAME=shop:hunter2@(db:3306)/", "DATA_SOURCE_NAME=***"],
    ["me@example.org:hunter2@smtp.example.org:587", "me@example.org:***@smtp.example.org:587"],
    ["https://host/x?access_token=hunter2", "https://host/x?access_token=***"],
    ["https://host/x?a=1&api_key=hunter2&b=2", "https://host/x?a=1&api_key=***&b=2"],
    ["https://host/x?key=0123456789abcdef&b=2", "https://host/x?key=***&b=2"],
    ["https://host/x?sig=hunter2", "https://host/x?sig=***"],
    ["https://host/?X-Amz-Signature=hunter2", "https://host/?X-Amz-Signature=***"],
    ["https://host/?next=password%3Dhunter2", "https://host/?next=password%3D***"],
    ["https://hooks.slack.com/services/T01234567/B01234567/hunter2hunter2", "https://hooks.slack.com/***"],
    ["https://discord.com/api/webhooks/1234567/hunter2hunter2hunter2", "https://discord.com/api/webhooks/***"],
    [`https://api.telegram.org/bot1234567:${"aB3_-".repeat(7)}/send`, "https://api.telegram.org/bot***/send"],
    [
      "jdbc:postgresql://db/shop?user=shop&password=hunter2&ssl=true",
      "jdbc:postgresql://db/shop?user=shop&password=***&ssl=true",
    ],
    [
      "jdbc:sqlserver://db:1433;user=sa;password=hunter2;encrypt=true",
      "jdbc:sqlserver://db:1433;user=sa;password=***;encrypt=true",
    ],
    ["jdbc:oracle:thin:shop/hunter2@//db:1521/shop", "jdbc:oracle:***@//db:1521/shop"],
    [
      "Server=db;Database=shop;User Id=shop;Password=hunter2;Encrypt=true",
      "Server=db;Database=shop;User Id=shop;Password=***;Encrypt=true",
    ],
    ["Server=db;Password=hun ter;2;Encrypt=true", "Server=db;Password=***;Encrypt=true"],
    ["Server=db;Password='hun ter2';Encrypt=true", "Server=db;Password='***';Encrypt=true"],
    ["Server=db;Pwd=hunter2", "Server=db;Pwd=***"],
    ["Endpoint=sb://bus/;SharedAccessKey=hunter2=;EntityPath=a", "Endpoint=sb://bus/;SharedAccessKey=***;EntityPath=a"],
    ["AccountName=a;AccountKey=hunter2==;EndpointSuffix=b", "AccountName=a;AccountKey=***;EndpointSuffix=b"],
    ["host=db user=shop password=hunter2 dbname=shop", "host=db user=shop password=*** dbname=shop"],
    ["host=db password='hun ter2' dbname=shop", "host=db password='***' dbname=shop"],
    ["host=db password='hun''ter 2' dbname=shop", "host=db password='***' dbname=shop"],
    ["host=db password=hun\\ ter2 dbname=shop", "host=db password=*** dbname=shop"],
    ["host=db password=hun;ter2 dbname=shop", "host=db password=*** dbname=shop"],
    ["host=db password=hun&ter2 dbname=shop", "host=db password=*** dbname=shop"],
  ])("%s", (text, expected) => {
    expect(argument(text)).toBe(expected);
  });
});

describe("a header", () => {
  test.each([
    ["Authorization: Bearer hunter2", "Authorization: ***"],
    ["Authorization: hunter2", "Authorization: ***"],
    ["Authorization:Bearer hunter2", "Authorization:***"],
    ["Authorization: AWS4-HMAC-SHA256 Credential=a, Signature=hunter2", "Authorization: ***"],
    ["Proxy-Authorization: Basic hunter2", "Proxy-Authorization: ***"],
    ["Cookie: session=hunter2; other=hunter3", "Cookie: ***"],
    ["Cookie:session=hunter2; other=hunter3", "Cookie:***"],
    ["X-API-Key: hunter2", "X-API-Key: ***"],
    ["apikey: hunter2", "apikey: ***"],
    ["X-Auth: hunter2", "X-Auth: ***"],
    ["X-Auth-Key: hunter2", "X-Auth-Key: ***"],
    ["X-Custom-Auth: hunter2", "X-Custom-Auth: ***"],
    ["PRIVATE-TOKEN: hunter2", "PRIVATE-TOKEN: ***"],
    ["X-Vault-Token: hunter2", "X-Vault-Token: ***"],
    [`Authorization: ${"a".repeat(20_000)} hunter2`, "Authorization: ***"],
    ["-HAuthorization: Bearer hunter2", "-HAuthorization:***"],
    ["--header=Authorization: Bearer hunter2", "--header=Authorization: ***"],
    ["http.extraHeader=Authorization: Basic hunter2", "http.extraHeader=Authorization: ***"],
    ["Accept: text/html", "Accept: text/html"],
    ["Content-Type: application/json", "Content-Type: application/json"],
  ])("%s", (text, expected) => {
    expect(withoutSecrets(["curl", "-H", text, "http://api"])).toEqual(["curl", "-H", expected, "http://api"]);
  });
});

describe("JSON, YAML and code", () => {
  test.each([
    ['{"password":"hunter2"}', '{"password":"***"}'],
    ['{"password": "hun\\"ter2", "port": 1}', '{"password": "***", "port": 1}'],
    ['{"password": "hunter2\\\\"}', '{"password": "***"'],
    ['{"db":{"apiKey":"hunter2"},"port":1}', '{"db":{"apiKey":"***"},"port":1}'],
    ["{'password': 'hunter2'}", "{'password': '***'}"],
    ["{u'password': u'hunter2'}", "{u'password': u'***'}"],
    ['{"password":12345678901}', '{"password":***'],
    ['{password:"hunter2"}', '{password:"***"}'],
    ["{password:hunter2}", "{password:***"],
    ['{\\"password\\":\\"hun ter2\\"}', '{\\"password\\":\\"***\\"}'],
    ['{"tokens":["hunter2","hunter3"],"port":1}', '{"tokens":***'],
    ['{"auths":{"hub":{"auth":"hunter2"}}}', '{"auths":{"hub":{"auth":"***"}}}'],
    ['["app","--password","hunter2"]', '["app","--password","***"]'],
    ['--config={"db":{"password":"hunter2"}}', '--config={"db":{"password":"***"}}'],
    ["password: hunter2", "password: ***"],
    ["password: 'hun ter2'", "password: '***'"],
    ['password: "hun ter2"', 'password: "***"'],
    ["password:hunter2", "password:***"],
    ["pass: hunter2", "pass: ***"],
    ["api_key: hunter2", "api_key: ***"],
    ["clientSecret: hunter2", "clientSecret: ***"],
    ["db:\n  password: hunter2\n  port: 1", "db:\n  password: ***"],
    ["secret: |\n  hun\n  ter2", "secret: ***"],
    ["password = hunter2", "password = ***"],
    [`password${" ".repeat(30)}= hunter2`, `password${" ".repeat(30)}= ***`],
    [`password =${" ".repeat(30)}hunter2`, `password =${" ".repeat(30)}***`],
    ["import a; password='hunter2'; a()", "import a; password='***'; a()"],
    ['connect(password = "hunter2", port=1)', 'connect(password = "***", port=1)'],
    ["connect(password=b'hunter2')", "connect(password=b'***')"],
    ['connect(password="""hun ter2""")', 'connect(password="***")'],
    ["connect({password: 'hunter2'})", "connect({password: '***'})"],
    ["const apiKey = `hunter2`;", "const apiKey = ***"],
    ["let token: string = 'hunter2'", "let token: ***"],
    ["os.environ['DB_PASSWORD'] = 'hunter2'", "os.environ['DB_PASSWORD'] = '***'"],
    ['os.environ["SECRET"]="hunter2"', 'os.environ["SECRET"]="***"'],
    ["$password = 'hunter2';", "$password = '***';"],
    ["define('DB_PASSWORD', 'hunter2');", "define('DB_PASSWORD', '***');"],
    ["setPassword('hunter2')", "setPassword('***')"],
    [":password => 'hunter2'", ":password => '***'"],
    ["$h{password} = 'hunter2'", "$h{password} = '***'"],
    ["ALTER USER a WITH PASSWORD 'hun ter2'", "ALTER USER a WITH PASSWORD ***"],
    ["CREATE USER a IDENTIFIED BY 'hun ter2'", "CREATE USER a IDENTIFIED BY ***"],
    ['a.jaas required username="a" password="hun ter2";', 'a.jaas required username="a" password="***";'],
    ["db[password]=hunter2", "db[password]=***"],
  ])("%j", (text, expected) => {
    expect(argument(text)).toBe(expected);
  });
});

describe("a command for a shell", () => {
  test.each([
    ["mysql -uroot -phunter2 shop", "mysql -uroot -p*** shop"],
    ["mysql -p'hun ter2' shop", "mysql -p*** shop"],
    ["exec redis-cli -a hunter2 ping", "exec redis-cli -a *** ping"],
    ["x=$(redis-cli -a hunter2 get a); echo $x", "x=$(redis-cli -a *** get a); echo $x"],
    ["cd /app && PGPASSWORD=hunter2 psql -h db", "cd /app && PGPASSWORD=*** psql -h db"],
    ['export TOKEN="hun ter2"; app', 'export TOKEN="***"; app'],
    ["app --password hunter2 --port 1", "app --password *** --port 1"],
    ["app --password 'hun ter2' --port 1", "app --password *** --port 1"],
    ['app --password "hun ter2" --port 1', "app --password *** --port 1"],
    ["echo it's; app --password hunter2; echo that's", "echo it's; app --password *** echo that's"],
    ["curl -u me:hunter2 http://api | jq .", "curl -u *** http://api | jq ."],
    ["curl -H 'Authorization: Bearer hunter2' http://api", "curl -H 'Authorization: ***' http://api"],
    ['curl "http://api?token=hunter2" -o x', 'curl "http://api?token=***" -o x'],
    ["sshpass -p hunter2 ssh db", "sshpass -p *** ssh db"],
    ["mc alias set a http://b c hunter2 && mc ls", "mc alias set a http://b *** *** && mc ls"],
  ])("%s", (script, expected) => {
    expect(withoutSecrets(["sh", "-c", script])).toEqual(["sh", "-c", expected]);
  });
});

describe("a title", () => {
  test.each([
    ["worker: --token hunter2 3", "worker: --token *** 3"],
    ["app: connecting to postgres://shop:hunter2@db/shop", "app: connecting to postgres://***@db/shop"],
    ["app password=hunter2 x", "app password=*** x"],
    ["mysql -u root -phunter2 shop", "mysql -u root -p*** shop"],
    ["app Authorization: Bearer hunter2 x", "app Authorization: ***"],
    ["app --password = hunter2", "app --password = ***"],
    ["app --password\t hunter2  x", "app --password\t ***  x"],
    ['celery: {"password": "hunter2"}', 'celery: {"password": "***"}'],
  ])("%j", (title, expected) => {
    expect(withoutSecrets([title])).toEqual([expected]);
    expect(withoutSecretWords(title)).toBe(expected);
  });

  test("keeps its white space", () => {
    expect(withoutSecretWords(" \t a  b\n\nc ")).toBe(" \t a  b\n\nc ");
  });
});

const letters = (count: number) => "aB3xY9qW".repeat(10).slice(0, count);
const hex = (count: number) => "0a1b2c3d".repeat(10).slice(0, count);

/** Where a token has a known shape, it needs no name. */
const knownTokens = [
  ["Amazon", "AKIAIOSFODNN7EXAMPLE"],
  ["GitHub", `ghp_${letters(36)}`],
  ["GitHub, for an app", `ghs_${letters(36)}`],
  ["GitHub, fine-grained", `github_pat_${letters(22)}_${letters(59)}`],
  ["GitLab", `glpat-${letters(20)}`],
  ["GitLab, for a runner", `glrt-${letters(20)}`],
  ["Slack", `xoxb-1234567890-${letters(24)}`],
  ["Slack, for an app", `xapp-1-A0-123-${letters(24)}`],
  ["Stripe", `sk_live_${letters(24)}`],
  ["Stripe, for a webhook", `whsec_${letters(32)}`],
  ["OpenAI", `sk-proj-${letters(48)}`],
  ["Anthropic", `sk-ant-api03-${letters(80)}`],
  ["Google", `AIza${letters(35)}`],
  ["Google, for a user", `ya29.${letters(60)}`],
  ["npm", `npm_${letters(36)}`],
  ["PyPI", `pypi-AgEIcHlwaS5vcmc${letters(60)}`],
  ["Docker", `dckr_pat_${letters(27)}`],
  ["Hugging Face", `hf_${letters(34)}`],
  ["DigitalOcean", `dop_v1_${hex(64)}`],
  ["Databricks", `dapi${hex(32)}`],
  ["Mailgun", `key-${hex(32)}`],
  ["Shopify", `shpat_${hex(32)}`],
  ["SendGrid", `SG.${letters(22)}.${letters(43)}`],
  ["Vault", `hvs.${letters(24)}`],
  ["Vault, older", `s.${letters(24)}`],
  ["Grafana", `glsa_${letters(32)}_${hex(8)}`],
  ["New Relic", `NRAK-${letters(27)}`],
  ["Tailscale", `tskey-auth-${letters(24)}`],
  ["age", `AGE-SECRET-KEY-1${letters(58)}`],
  ["a JSON web token", `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${letters(43)}`],
  ["JSON in base64", `eyJrIjoi${letters(60)}==`],
  ["a key in PEM", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"],
] as const;

describe("a token of known shape, wherever it stands", () => {
  test.each(knownTokens)("%s", (_, token) => {
    expect(withoutSecrets(["app", token, "x"])).toEqual(["app", redacted, "x"]);
    expect(withoutSecrets(["app", `--x=${token}`])).toEqual(["app", `--x=${redacted}`]);
    expect(withoutSecrets(["app", `a,${token}`])).toEqual(["app", `a,${redacted}`]);
    expect(withoutSecretWords(`app: ${token.trimEnd()}`)).toBe(`app: ${redacted}`);
  });

  test("of any length", () => {
    expect(withoutSecrets(["app", `ghp_${"a".repeat(5000)}`])).toEqual(["app", redacted]);
    expect(withoutSecrets(["app", `eyJ${"a".repeat(9000)}.${"b".repeat(9000)}.c`])).toEqual(["app", redacted]);
  });
});

describe("what is no secret stays as it is", () => {
  test.each([
    "git commit --author me --author=me",
    "app --compass north --compass=1 --bypass x --encompass=y",
    "app --password-file=/run/x --password-file /run/x --passwordFile /run/x",
    "app --token-path /run/x --secret-dir /run/y --auth-type basic --auth-mode=none --token-ttl 60",
    "vllm serve model --max-tokens 100 --max-new-tokens=100 --max-model-tokens 5 --tokenizer x --tokenizer-mode=auto",
    "app --key-file /x --key /etc/tls/tls.key --tls-key=server.pem --ssl-keyfile x.pem --key short",
    "app --public-key abcdefgh12345678 --sort-key=created_at --keyring ring --keyboard=us --monkey=abcdefghijk",
    "kubelet --client-ca-file=/x --tls-private-key-file=/x/y.key --authorization-mode=Webhook",
    "kube-apiserver --authorization-mode=Node,RBAC --service-account-issuer=https://x",
    "nginx -c /etc/nginx/nginx.conf",
    "postgres -D /srv/db -c config_file=/etc/postgresql/15/main/postgresql.conf",
    "mysqld --basedir=/usr --datadir=/var/lib/mysql --port=3306 --pid-file=/run/x.pid",
    "mysql -u root -p shop",
    "redis-server *:6379",
    "redis-cli -p 6379 ping",
    "node --max-old-space-size=512 -r dotenv/config --env-file=.env server.js --port 3000",
    "node /app/node_modules/.pnpm/foo@1.2.3/node_modules/foo/cli.js",
    "npx npm:react@18",
    "node token-server.js production",
    "python3 -m http.server 8000 --directory /srv",
    "uvicorn auth:app --host 0.0.0.0",
    "gunicorn -w 4 -b 0.0.0.0:8000 shop.wsgi:application",
    "java -Xmx1g -XX:+UseG1GC -Dfile.encoding=UTF-8 -cp /app/a.jar:/app/token-api.jar:/app/jwt.jar:lib/* com.acme.Main",
    "java -cp token.jar:auth.jar:secret.jar Main",
    "java -cp /app/token:/app/secret:/app/classes Main",
    "java -javaagent:/opt/agent.jar --add-opens java.base/java.lang=ALL-UNNAMED -jar orders.jar --server.port=8080",
    "dotnet Shop.dll --urls http://+:80",
    "php artisan queue:work --queue=mail --tries=3",
    "ruby bin/rails server -b 0.0.0.0 -e production",
    "curl https://example.org:8080/a/b?c=d&e=f#g",
    "app http://host:8080/@scope/package https://registry.npmjs.org/@types/node",
    "app me@example.org --email=me@example.org mailto:me@example.org",
    "git clone git@github.com:x/y.git",
    "ssh -p 22 -i /root/.ssh/id_ed25519 me@host",
    "rsync me@host:/x /y",
    "docker run -p 80:80 -v /a:/b -e A=b --user 1000:1000 nginx:1.25",
    "docker run shop/api:1@sha256:0123456789abcdef",
    "tail -F /var/log/auth.log /var/log/secure",
    "useradd me",
    "app --user www-data 12:30:45 2024-01-01T00:00:00",
    "mongod --auth --bind_ip 0.0.0.0",
    "containerd-shim-runc-v2 -namespace moby -id 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "prometheus --config.file=/etc/prometheus.yml --web.listen-address=:9090",
    "app --glibc=/usr/lib/glibc-2.31-0ubuntu9-amd64-linux.so",
    "com.acme.KeyJsonDeserializerFactoryBean x",
  ])("%s", (commandLine) => {
    expect(shown(commandLine)).toBe(commandLine);
  });

  test.each([
    "nginx: master process nginx -g daemon off;",
    "postgres: app shop 10.0.0.1(5432) idle in transaction",
    "[celeryd: shop@host:MainProcess] -active- (worker)",
    "gunicorn: master [shop.wsgi:application]",
    "php-fpm: pool www",
    "sshd: me@pts/0",
    "npm run start",
    "  a   b  ",
    "",
  ])("the title %j", (title) => {
    expect(withoutSecrets([title])).toEqual([title]);
  });

  test.each([
    ["sh", "-c", "while true; do date >> /tmp/x; sleep 1; done"],
    ["java", "-XX:OnOutOfMemoryError=kill -9 %p", "Main"],
    ["nginx", "-g", "daemon off;"],
    ["app", "", "", "x"],
    ["app", "--token", "", "x"],
    ["app", "--password="],
    ["app", '{"port":1,"name":"shop","list":["a","b"]}'],
    ["app", "name: shop\nport: 1\n"],
  ])("%s", (...argv) => {
    expect(withoutSecrets(argv)).toEqual(argv);
  });

  test("also what has been replaced before", () => {
    for (const line of ["app --password=*** x", "postgres://***@db/shop", "Authorization: ***", '{"token":"***"}']) {
      expect(withoutSecretWords(line)).toBe(line);
    }
  });
});

describe("arguments that are not shown", () => {
  test("are followed, and come back empty", () => {
    const argv = ["mysql", "-u", "root", "--token", "hunter2", "-phunter2"];
    expect(withoutSecrets(argv, (i) => i === 4)).toEqual(["", "", "", "", "***", ""]);
    expect(withoutSecrets(argv, (i) => i === 5)).toEqual(["", "", "", "", "", "-p***"]);
  });
});

/** Every known shape that a secret of letters and digits can stand in. */
const shapes: readonly ((secret: string) => string[])[] = [
  (s) => [`--password=${s}`],
  (s) => ["--password", s],
  (s) => ["-token", s],
  (s) => [`--dbPassword=${s}`],
  (s) => ["--api-key", s],
  (s) => [`--hmac-key=${s}`],
  (s) => [`-Dspring.datasource.password=${s}`],
  (s) => [`AWS_SECRET_ACCESS_KEY=${s}`],
  (s) => [`/password:${s}`],
  (s) => ["--user", `me:x${s}`],
  (s) => ["AUTH", s],
  (s) => ["mysql", "-u", "root", `-p${s}`],
  (s) => ["redis-cli", "-a", s],
  (s) => ["curl", "-u", `me:${s}`],
  (s) => ["docker", "login", "-p", s],
  (s) => ["sshpass", `-p${s}`],
  (s) => ["mc", "alias", "set", "a", "http://b", "me", s],
  (s) => ["vault", "kv", "put", "secret/a", `a=${s}`],
  (s) => [`postgres://me:${s}@db/shop`],
  (s) => [`postgres://me:a/${s}@db/shop`],
  (s) => [`https://${s}@host`],
  (s) => [`me:${s}@tcp(db)/shop`],
  (s) => [`https://host/x?a=b&token=${s}&c=d`],
  (s) => [`Server=db;Password=a ${s};Encrypt=true`],
  (s) => [`host=db password='a ${s}' user=a`],
  (s) => [`Authorization: Bearer ${s}`],
  (s) => [`Cookie: a=b; c=${s}`],
  (s) => [`X-API-Key: ${s}`],
  (s) => [`{"a":{"password":"${s}"}}`],
  (s) => [`{"password": "a\\"${s}"}`],
  (s) => [`{\\"token\\": \\"${s}\\"}`],
  (s) => [`a:\n  password: ${s}\n`],
  (s) => [`secret: |\n  a\n  ${s}`],
  (s) => [`password = '${s}'`],
  (s) => [`connect(password="a ${s}")`],
  (s) => [`os.environ['TOKEN'] = '${s}'`],
  (s) => [`define("DB_PASSWORD", "${s}")`],
  (s) => [`ALTER USER a PASSWORD '${s}'`],
  (s) => ["sh", "-c", `mysql -p${s} shop`],
  (s) => ["sh", "-c", `app --password 'a ${s}' x`],
  (s) => ["sh", "-c", `TOKEN="a ${s}" app`],
  (s) => ["sh", "-c", `curl -H 'X-Token: ${s}' x`],
  (s) => [`ghp_0123456789abcdef${s}`],
  (s) => [`eyJ0123456789abcd${s}.${s}`],
  (s) => [`-----BEGIN PRIVATE KEY-----\n${s}`],
];

/** Words that may stand around it; none of them can be a secret's whole. */
const bystander = fc.oneof(
  fc.constantFrom(
    "node",
    "server.js",
    "-x",
    "--port",
    "3000",
    "a=b",
    "'",
    '"',
    "",
    "https://a/b",
    "--",
    "a b",
    "{",
    "x;y",
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const secret = fc
  .stringMatching(/^[A-Za-z0-9]{8,40}$/)
  .filter((text) => !shapes.some((shape) => shape("").join(" ").includes(text)));

describe("whatever stands around it, a secret", () => {
  test("in a known shape never appears, and the number of arguments stays", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...shapes),
        secret,
        fc.array(bystander, { maxLength: 5 }),
        fc.array(bystander, { maxLength: 5 }),
        (shape, hidden, before, after) => {
          fc.pre(![...before, ...after].some((word) => word.includes(hidden)));
          const argv = ["app", ...before, ...shape(hidden), ...after];
          const safe = withoutSecrets(argv);
          expect(safe).toHaveLength(argv.length);
          expect(safe.join("\0")).not.toContain(hidden);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("in a title never appears, if it has no quotes of its own", () => {
    const wordShapes = shapes.filter((shape) => shape("x").every((word) => !/[\s'"]/.test(word)));
    const word = fc.stringMatching(/^[a-z0-9:=/.[\]()-]{1,12}$/);
    fc.assert(
      fc.property(
        fc.constantFrom(...wordShapes),
        secret,
        fc.array(word),
        fc.array(word),
        (shape, hidden, before, after) => {
          fc.pre(![...before, ...after].some((one) => one.includes(hidden)));
          const title = ["app:", ...before, ...shape(hidden), ...after].join(" ");
          expect(withoutSecrets([title])[0]).not.toContain(hidden);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("is not needed: nothing is thrown at other arguments, and their number stays", () => {
    fc.assert(
      fc.property(fc.array(bystander), (argv) => {
        expect(withoutSecrets(argv)).toHaveLength(argv.length);
        expect(withoutSecrets([argv.join(" ")])).toHaveLength(1);
      }),
    );
  });
});

describe("takes time in proportion to the text", () => {
  test.each(hostileTexts)("made of %j", (_, text) => {
    expect(cpuSeconds(() => withoutSecrets(["app", text]))).toBeLessThan(mostCpuSeconds);
    expect(cpuSeconds(() => withoutSecrets([text]))).toBeLessThan(mostCpuSeconds);
    expect(cpuSeconds(() => withoutSecrets(["mysql", "curl", "mc", ...text.split(" ")]))).toBeLessThan(mostCpuSeconds);
  });
});
