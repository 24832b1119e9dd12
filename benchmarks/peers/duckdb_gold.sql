-- From silver to the deliveries and cells of the years asked.
-- Views claims, population, stays: silver. Tables codes, places, carried, units: the configuration.
-- The placeholders: numbers, conditions and literal code lists, which the Parquet scan can use as a filter.

CREATE MACRO completed_years(birth, on_day) AS
    year(on_day) - year(birth) - (100 * month(on_day) + day(on_day) < 100 * month(birth) + day(birth))::BIGINT;

-- Deliveries -----------------------------------------------------------------------------------

CREATE TEMP TABLE delivery_days AS
WITH services AS (
    SELECT beneficiary_id, service_date, nomenclature_code, min(hospital_id) FILTER (quantity > 0) AS hospital_id
    FROM claims
    WHERE nomenclature_code IN (${delivery_codes})
    GROUP BY beneficiary_id, service_date, nomenclature_code, provider_id
    HAVING sum(quantity) > 0
)
SELECT DISTINCT ON (beneficiary_id, service_date)
    beneficiary_id, service_date AS delivery_date, delivery_type, hospital_id
FROM services
JOIN (SELECT code, valid_from, valid_to, delivery_type, priority FROM codes JOIN delivery_types USING (list)) AS listed
    ON nomenclature_code = code AND service_date BETWEEN valid_from AND valid_to
ORDER BY beneficiary_id, service_date, priority, hospital_id NULLS LAST, nomenclature_code;

CREATE TEMP TABLE episodes AS
WITH cut AS (
    SELECT *, coalesce(delivery_date - lag(delivery_date) OVER in_time > ${gap_days}, true) AS starts
    FROM delivery_days
    WINDOW in_time AS (PARTITION BY beneficiary_id ORDER BY delivery_date)
),
numbered AS (
    SELECT *, count_if(starts) OVER (PARTITION BY beneficiary_id ORDER BY delivery_date) AS episode
    FROM cut
),
formed AS (
    SELECT
        beneficiary_id,
        max(delivery_date) AS last_billing_date,
        count(*)::INTEGER AS billings,
        -- Of the first day, which is the one that starts; its hospital may be unknown.
        min(delivery_date) AS delivery_date,
        any_value(delivery_type) FILTER (starts) AS delivery_type,
        any_value(hospital_id) FILTER (starts) AS hospital_id
    FROM numbered
    GROUP BY beneficiary_id, episode
),
judged AS (
    SELECT
        *,
        coalesce(delivery_date - lag(delivery_date) OVER in_time < ${implausible_days}, false)
        OR coalesce(lead(delivery_date) OVER in_time - delivery_date < ${implausible_days}, false)
            AS implausible_interval,
        year(delivery_date)::INTEGER AS year
    FROM formed
    WINDOW in_time AS (PARTITION BY beneficiary_id ORDER BY delivery_date)
)
FROM judged
WHERE year IN (${years});

-- The lines of the few women who delivered, near their deliveries: netted only afterwards.
CREATE TEMP TABLE contacts AS
WITH lines AS (
    FROM claims
    SEMI JOIN episodes USING (beneficiary_id)
    SELECT beneficiary_id, service_date, nomenclature_code, provider_id, quantity,
        provider_profession, provider_competence
    WHERE year BETWEEN ${first_contact_year} AND ${last_contact_year}
        AND nomenclature_code IN (${contact_codes})
),
services AS (
    SELECT beneficiary_id, service_date, nomenclature_code, ${provider_columns}
    FROM lines
    GROUP BY beneficiary_id, service_date, nomenclature_code, provider_id
    HAVING sum(quantity) > 0
)
SELECT DISTINCT beneficiary_id, service_date, service
FROM services
JOIN (SELECT code, valid_from, valid_to, service FROM codes JOIN contact_lists USING (list)) AS listed
    ON nomenclature_code = code AND service_date BETWEEN valid_from AND valid_to
WHERE ${provider_rule};

CREATE TEMP TABLE flags AS
WITH around AS (
    SELECT
        beneficiary_id,
        delivery_date,
        service_date,
        service,
        service NOT IN ('prenatal_gdm_test', 'prenatal_technical') AS contact,
        service_date - delivery_date BETWEEN ${postnatal_first} AND ${postnatal_last} AS after,
        delivery_date - service_date BETWEEN ${prenatal_last} AND ${prenatal_first} AS before
    FROM episodes
    JOIN contacts USING (beneficiary_id)
)
SELECT
    beneficiary_id,
    delivery_date,
    bool_or(after AND service = 'gp') AS contact_gp,
    bool_or(after AND service = 'gynaecologist') AS contact_gynaecologist,
    bool_or(after AND service = 'midwife') AS contact_midwife,
    bool_or(after AND service = 'physiotherapist') AS contact_physiotherapist,
    bool_or(after AND service = 'specialist') AS contact_specialist,
    min(service_date) FILTER (after AND contact) AS first_contact_date,
    bool_or(before AND contact) AS prenatal_contact,
    bool_or(before AND service = 'prenatal_gdm_test') AS prenatal_gdm_test,
    bool_or(before AND service = 'prenatal_technical') AS prenatal_technical
FROM around
WHERE after OR before
GROUP BY beneficiary_id, delivery_date;

CREATE TEMP TABLE nights AS
SELECT
    beneficiary_id,
    delivery_date,
    (coalesce(max(discharge_date) FILTER (s.hospital_id = e.hospital_id), max(discharge_date)) - delivery_date)::INTEGER
        AS nights_after_delivery
FROM stays AS s
JOIN episodes AS e USING (beneficiary_id)
WHERE delivery_date BETWEEN admission_date AND discharge_date AND s.year >= ${first_year}
GROUP BY beneficiary_id, delivery_date;

-- Population -----------------------------------------------------------------------------------

CREATE TEMP VIEW persons AS
SELECT
    p.beneficiary_id,
    p.year,
    birth_date,
    coalesce(sex, 'unknown') AS sex,
    CASE increased_reimbursement WHEN true THEN 'yes' WHEN false THEN 'no' ELSE 'unknown' END
        AS increased_reimbursement,
    coalesce(december.place, june.place) AS municipality,
    CASE
        WHEN december.place IS NOT NULL THEN sector_31_december
        WHEN june.place IS NOT NULL THEN sector_30_june
    END AS sector,
    CASE
        WHEN december.place IS NOT NULL THEN '31_december'
        WHEN june.place IS NOT NULL THEN '30_june'
        ELSE 'unknown'
    END AS domicile_source
FROM population AS p
LEFT JOIN carried AS december ON december.year = p.year AND december.code = municipality_31_december
LEFT JOIN carried AS june ON june.year = p.year AND june.code = municipality_30_june
WHERE p.year IN (${years});

CREATE TEMP TABLE deliveries AS
WITH mothers AS (
    FROM persons
    SEMI JOIN episodes USING (beneficiary_id, year)
),
aged AS (
    SELECT *, completed_years(birth_date, delivery_date) AS age_as_given
    FROM episodes
    LEFT JOIN mothers USING (beneficiary_id, year)
)
SELECT
    beneficiary_id,
    year,
    delivery_date,
    delivery_type,
    hospital_id,
    billings,
    last_billing_date,
    (CASE WHEN age_as_given >= 0 THEN age_as_given END)::INTEGER AS age,
    ${delivery_age_category} AS age_category,
    coalesce(increased_reimbursement, 'unknown') AS increased_reimbursement,
    municipality,
    coalesce(domicile_source, 'unknown') AS domicile_source,
    coalesce(contact_gp, false) AS contact_gp,
    coalesce(contact_gynaecologist, false) AS contact_gynaecologist,
    coalesce(contact_midwife, false) AS contact_midwife,
    coalesce(contact_physiotherapist, false) AS contact_physiotherapist,
    coalesce(contact_specialist, false) AS contact_specialist,
    first_contact_date,
    coalesce(prenatal_contact, false) AS prenatal_contact,
    ${gdm_test_flag} AS prenatal_gdm_test,
    coalesce(prenatal_technical, false) AS prenatal_technical,
    nights_after_delivery,
    implausible_interval
FROM aged
LEFT JOIN flags USING (beneficiary_id, delivery_date)
LEFT JOIN nights USING (beneficiary_id, delivery_date);

CREATE TEMP TABLE exams AS
WITH services AS (
    SELECT beneficiary_id, service_date, nomenclature_code, sum(quantity) AS quantity
    FROM claims
    WHERE year IN (${years}) AND nomenclature_code IN (${imaging_codes})
    GROUP BY beneficiary_id, service_date, nomenclature_code, provider_id
    HAVING sum(quantity) > 0
)
SELECT beneficiary_id, year(service_date)::INTEGER AS year, sum(quantity)::BIGINT AS exams
FROM services
SEMI JOIN (FROM codes WHERE list IN (${imaging_lists})) AS listed
    ON nomenclature_code = code AND service_date BETWEEN valid_from AND valid_to
GROUP BY ALL;

-- Counts as fine as any cell needs ---------------------------------------------------------------

CREATE TEMP TABLE beneficiary_counts AS
WITH members AS (
    SELECT *, year - year(birth_date) AS age_as_given
    FROM persons
)
SELECT
    year,
    municipality,
    sector,
    ${beneficiary_age_category} AS age_category,
    increased_reimbursement,
    sex,
    count(*) AS members,
    count(exams) AS with_exam,
    coalesce(sum(exams), 0)::BIGINT AS exams
FROM members
LEFT JOIN exams USING (beneficiary_id, year)
GROUP BY ALL;

CREATE TEMP TABLE delivery_counts AS
WITH members AS (
    SELECT
        * EXCLUDE (delivery_type),
        dimension AS delivery_type,
        delivery_type IN (${hospital_types}) AS in_hospital,
        delivery_type = 'caesarean' AS caesarean,
        NOT (
            contact_gp OR contact_gynaecologist OR contact_midwife OR contact_physiotherapist OR contact_specialist
        ) AS no_contact
    FROM deliveries
    JOIN delivery_types USING (delivery_type)
)
SELECT
    year,
    municipality,
    hospital_id,
    age_category,
    increased_reimbursement,
    delivery_type,
    count(*) AS members,
    count_if(in_hospital) AS in_hospital,
    count_if(in_hospital AND nights_after_delivery IS NOT NULL) AS with_stay,
    count_if(no_contact) AS no_contact,
    count_if(no_contact AND in_hospital) AS no_contact_in_hospital,
    count_if(NOT contact_midwife) AS no_midwife,
    count_if(prenatal_contact) AS prenatal_contact,
    count_if(prenatal_gdm_test) AS prenatal_gdm_test,
    count_if(prenatal_technical) AS prenatal_technical,
    count_if(caesarean) AS caesareans,
    coalesce(sum(nights_after_delivery) FILTER (in_hospital), 0)::BIGINT AS nights
FROM members
GROUP BY ALL;

-- Cubes: every place that holds the domicile, and the sector or hospital, by every choice of dimensions ---

CREATE TEMP TABLE beneficiary_cube AS
WITH by_place AS (
    SELECT
        year,
        municipality,
        age_category,
        increased_reimbursement,
        sex,
        sum(members) AS members,
        sum(with_exam) AS with_exam,
        sum(exams) AS exams
    FROM beneficiary_counts
    GROUP BY ALL
),
cells AS (
    SELECT
        year,
        geo_level,
        geo_code,
        coalesce(age_category, 'all') AS age_category,
        coalesce(increased_reimbursement, 'all') AS increased_reimbursement,
        coalesce(sex, 'all') AS sex,
        sum(members) AS members,
        sum(with_exam) AS with_exam,
        sum(exams) AS exams
    FROM by_place
    JOIN places USING (year)
    WHERE municipality IS NOT DISTINCT FROM place
    GROUP BY year, geo_level, geo_code, CUBE (age_category, increased_reimbursement, sex)
    UNION ALL
    SELECT year, 'sector', sector, 'all', 'all', 'all', sum(members), sum(with_exam), sum(exams)
    FROM beneficiary_counts
    WHERE year >= ${sector_first_year} AND regexp_full_match(sector, ${sector_pattern})
    GROUP BY year, sector
    UNION ALL
    SELECT year, geo_level, geo_code, 'all', 'all', 'all', 0, 0, 0
    FROM units
)
SELECT
    * EXCLUDE (members, with_exam, exams),
    'all' AS delivery_type,
    sum(members)::BIGINT AS members,
    sum(with_exam)::BIGINT AS with_exam,
    sum(exams)::BIGINT AS exams
FROM cells
GROUP BY ALL;

CREATE TEMP TABLE delivery_cube AS
WITH places_of_counts AS (
    SELECT geo_level, geo_code, delivery_counts.*
    FROM delivery_counts
    JOIN places USING (year)
    WHERE municipality IS NOT DISTINCT FROM place
),
cells AS (
    SELECT
        year, geo_level, geo_code, age_category, increased_reimbursement, delivery_type, ${delivery_sums}
    FROM places_of_counts
    GROUP BY year, geo_level, geo_code, CUBE (age_category, increased_reimbursement, delivery_type)
    UNION ALL BY NAME
    SELECT year, 'hospital' AS geo_level, hospital_id AS geo_code, delivery_type, ${delivery_sums}
    FROM delivery_counts
    WHERE hospital_id IS NOT NULL
    GROUP BY year, hospital_id, CUBE (delivery_type)
    UNION ALL BY NAME
    FROM units
)
SELECT
    year,
    geo_level,
    geo_code,
    coalesce(age_category, 'all') AS age_category,
    coalesce(increased_reimbursement, 'all') AS increased_reimbursement,
    coalesce(delivery_type, 'all') AS delivery_type,
    'all' AS sex,
    ${delivery_totals}
FROM cells
GROUP BY ALL;
